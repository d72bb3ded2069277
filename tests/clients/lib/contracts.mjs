// The contracts of the tests, from three places:
//   contracts/*.sol    compiled by npm solc with its default settings (Osaka, no optimiser)
//   benchmarks/*.sol   compiled with the optimiser, as contracts are deployed; for the CU table
//   PACKAGED           build artefacts that npm packages bring; for the CU table
// The result is kept in the packages folder under the hash of the sources and of this file.

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileStandardJson } from '../solc.mjs'
import { SOURCE_DIR, packageRequire, packagesDir } from './packages.mjs'

const FOLDERS = {
  contracts: {},
  benchmarks: { optimizer: { enabled: true, runs: 200 } },
}

/** Uniswap's contracts as they were deployed; their licences forbid copies here. */
const PACKAGED = {
  UniswapV2Factory: '@uniswap/v2-core/build/UniswapV2Factory.json',
  UniswapV2Pair: '@uniswap/v2-core/build/UniswapV2Pair.json',
  UniswapV2Router02: '@uniswap/v2-periphery/build/UniswapV2Router02.json',
  WETH9: '@uniswap/v2-periphery/build/WETH9.json',
}

function readSources(folder) {
  const dir = path.join(SOURCE_DIR, folder)
  const names = fs.readdirSync(dir).filter((name) => name.endsWith('.sol')).sort()
  return Object.fromEntries(
    names.map((name) => [name, { content: fs.readFileSync(path.join(dir, name), 'utf8') }]),
  )
}

function compile(sources, settings) {
  const outputSelection = { '*': { '*': ['abi', 'evm.bytecode.object', 'metadata'] } }
  const input = { language: 'Solidity', sources, settings: { ...settings, outputSelection } }
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

function packaged(file) {
  const { abi, bytecode } = packageRequire()(file)
  return { abi, bytecode: bytecode.startsWith('0x') ? bytecode : `0x${bytecode}` }
}

/** `{ name: { abi, bytecode } }` of all contracts; compiled when the sources changed. */
export function artifacts() {
  const sources = Object.fromEntries(Object.keys(FOLDERS).map((folder) => [folder, readSources(folder)]))
  const self = fs.readFileSync(fileURLToPath(import.meta.url), 'utf8')
  const hash = createHash('sha256').update(JSON.stringify([sources, self])).digest('hex').slice(0, 16)
  const file = path.join(packagesDir(), `artifacts-${hash}.json`)
  if (!fs.existsSync(file)) {
    const compiled = Object.entries(FOLDERS).map(([folder, settings]) => compile(sources[folder], settings))
    const others = Object.entries(PACKAGED).map(([name, file]) => [name, packaged(file)])
    const scratch = `${file}.${process.pid}`
    fs.writeFileSync(scratch, JSON.stringify(Object.assign({}, ...compiled, Object.fromEntries(others))))
    fs.renameSync(scratch, file)
  }
  return JSON.parse(fs.readFileSync(file, 'utf8'))
}
