// Compiles contracts/*.sol with npm solc and its default settings (Osaka, no optimiser). The result is kept
// in the packages folder under the hash of the sources.

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { compileStandardJson } from '../solc.mjs'
import { SOURCE_DIR, packagesDir } from './packages.mjs'

const CONTRACTS_DIR = path.join(SOURCE_DIR, 'contracts')

function readSources() {
  const names = fs.readdirSync(CONTRACTS_DIR).filter((name) => name.endsWith('.sol')).sort()
  return Object.fromEntries(
    names.map((name) => [name, { content: fs.readFileSync(path.join(CONTRACTS_DIR, name), 'utf8') }]),
  )
}

function compile(sources) {
  const outputSelection = { '*': { '*': ['abi', 'evm.bytecode.object', 'metadata'] } }
  const input = { language: 'Solidity', sources, settings: { outputSelection } }
  const output = compileStandardJson(input, [path.join(packagesDir(), 'node_modules')])
  const problems = (output.errors ?? []).filter((entry) => entry.severity !== 'info')
  if (problems.length > 0) throw new Error(problems.map((entry) => entry.formattedMessage).join('\n'))

  const artifacts = {}
  for (const file of Object.keys(sources)) {
    for (const [name, contract] of Object.entries(output.contracts[file])) {
      const { evmVersion } = JSON.parse(contract.metadata).settings
      if (evmVersion !== 'osaka') throw new Error(`${name}: compiled for ${evmVersion}, expected osaka`)
      artifacts[name] = { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` }
    }
  }
  return artifacts
}

/** `{ name: { abi, bytecode } }` of all contracts; compiled when the sources changed. */
export function artifacts() {
  const sources = readSources()
  const hash = createHash('sha256').update(JSON.stringify(sources)).digest('hex').slice(0, 16)
  const file = path.join(packagesDir(), `artifacts-${hash}.json`)
  if (!fs.existsSync(file)) {
    const scratch = `${file}.${process.pid}`
    fs.writeFileSync(scratch, JSON.stringify(compile(sources)))
    fs.renameSync(scratch, file)
  }
  return JSON.parse(fs.readFileSync(file, 'utf8'))
}
