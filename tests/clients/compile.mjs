#!/usr/bin/env node
// Compiles the test contracts and writes them as JSON, for tests in other languages:
//   node compile.mjs FILE      {"Token": {"abi": [...], "bytecode": "0x..."}, ...}

import fs from 'node:fs'
import { artifacts } from './lib/contracts.mjs'
import { install } from './lib/packages.mjs'

const [target] = process.argv.slice(2)
if (!target) {
  console.error('usage: node compile.mjs FILE')
  process.exit(2)
}
install(console.log)
fs.writeFileSync(target, JSON.stringify(artifacts()))
console.log(`contracts: ${target}`)
