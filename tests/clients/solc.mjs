#!/usr/bin/env node
// The npm build of solc behind the part of the native solc's command line that forge uses: `--version`, and
// `--standard-json` with the input on standard input and imports resolved from `--base-path` and `--include-path`.

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageRequire } from './lib/packages.mjs'

const loadSolc = () => packageRequire()('solc')

/** Compiles standard JSON (an object); imports that it does not carry are looked up in `roots`, in order. */
export function compileStandardJson(input, roots) {
  const readImport = (name) => {
    const file = roots.map((root) => path.resolve(root, name)).find((candidate) => fs.existsSync(candidate))
    return file ? { contents: fs.readFileSync(file, 'utf8') } : { error: `not found in ${roots.join(', ')}` }
  }
  return JSON.parse(loadSolc().compile(JSON.stringify(input), { import: readImport }))
}

/** Splits `--name value` and `--name=value` options; all of them may repeat. */
function options(args) {
  const found = {}
  for (let i = 0; i < args.length; i++) {
    const [, name, inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(args[i]) ?? []
    if (!name) continue
    const takesValue = inline === undefined && args[i + 1] !== undefined && !args[i + 1].startsWith('--')
    ;(found[name] ??= []).push(inline ?? (takesValue ? args[++i] : true))
  }
  return found
}

function main(args) {
  const given = options(args)
  if (given.version) {
    console.log(`solc, the solidity compiler commandline interface\nVersion: ${loadSolc().version()}`)
  } else if (given['standard-json']) {
    const roots = [...(given['base-path'] ?? ['.']), ...(given['include-path'] ?? [])]
    const output = compileStandardJson(JSON.parse(fs.readFileSync(0, 'utf8')), roots)
    process.stdout.write(JSON.stringify(output))
  } else {
    console.error('only --version and --standard-json are supported')
    process.exitCode = 1
  }
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2))
}
