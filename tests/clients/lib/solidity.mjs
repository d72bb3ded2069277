// Compiles Solidity with npm's solc, and keeps results.

import fs from 'node:fs'
import path from 'node:path'
import { compileStandardJson } from '../solc.mjs'

/** What compilers must target: solc's default, named so that a different one is noticed. */
const EVM_VERSION = 'osaka'

/** The sources of a folder, as standard JSON has them. */
export function readSources(folder) {
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('.sol')).sort()
  return Object.fromEntries(
    names.map((name) => [name, { content: fs.readFileSync(path.join(folder, name), 'utf8') }]),
  )
}

/** `{ name: { abi, bytecode } }` of the contracts in `sources`; imports come from the folders `roots`. */
export function compile(sources, settings, roots) {
  const outputSelection = { '*': { '*': ['abi', 'evm.bytecode.object', 'metadata'] } }
  const input = { language: 'Solidity', sources, settings: { ...settings, outputSelection } }
  const output = compileStandardJson(input, roots)
  // Warnings count in our own sources; those of packages are theirs.
  const isOurs = (entry) => entry.sourceLocation === undefined || entry.sourceLocation.file in sources
  const isProblem = (entry) => entry.severity === 'error' || (entry.severity === 'warning' && isOurs(entry))
  const problems = (output.errors ?? []).filter(isProblem)
  if (problems.length > 0) throw new Error(problems.map((entry) => entry.formattedMessage).join('\n'))

  const artifacts = {}
  for (const file of Object.keys(sources)) {
    for (const [name, contract] of Object.entries(output.contracts[file])) {
      const { evmVersion } = JSON.parse(contract.metadata).settings
      if (evmVersion !== EVM_VERSION) throw new Error(`${name}: compiled for ${evmVersion}, expected ${EVM_VERSION}`)
      artifacts[name] = { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` }
    }
  }
  return artifacts
}

/** The JSON in `file`; `make` gives it when the file is not there. */
export function kept(file, make) {
  if (!fs.existsSync(file)) {
    const scratch = `${file}.${process.pid}`
    fs.writeFileSync(scratch, JSON.stringify(make()))
    fs.renameSync(scratch, file)
  }
  return JSON.parse(fs.readFileSync(file, 'utf8'))
}
