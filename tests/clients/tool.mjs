#!/usr/bin/env node
// Installs the packages and prints where a native foundry tool is, for programs in other languages:
//   node tool.mjs anvil

import { foundryTool, install } from './lib/packages.mjs'

const [name] = process.argv.slice(2)
if (!name) {
  console.error('usage: node tool.mjs (anvil | cast | forge)')
  process.exit(2)
}
install(console.error)
console.log(foundryTool(name))
