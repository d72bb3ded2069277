// The contracts of the tests, from three places:
//   contracts/*.sol    compiled by npm solc with its default settings (Osaka, no optimiser)
//   benchmarks/*.sol   compiled with the optimiser, as contracts are deployed; for the CU table
//   PACKAGED           build artefacts that npm packages bring; for the CU table
// The result is kept in the packages folder under the hash of the sources and of this file.

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { SOURCE_DIR, packageRequire, packagesDir } from './packages.mjs'
import { compile, kept, readSources } from './solidity.mjs'

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

function packaged(file) {
  const { abi, bytecode } = packageRequire()(file)
  return { abi, bytecode: bytecode.startsWith('0x') ? bytecode : `0x${bytecode}` }
}

/** `{ name: { abi, bytecode } }` of all contracts; compiled when the sources changed. */
export function artifacts() {
  const folders = Object.keys(FOLDERS)
  const sources = Object.fromEntries(folders.map((folder) => [folder, readSources(path.join(SOURCE_DIR, folder))]))
  const self = fs.readFileSync(fileURLToPath(import.meta.url), 'utf8')
  const hash = createHash('sha256').update(JSON.stringify([sources, self])).digest('hex').slice(0, 16)
  return kept(path.join(packagesDir(), `artifacts-${hash}.json`), () => {
    const roots = [path.join(packagesDir(), 'node_modules')]
    const compiled = Object.entries(FOLDERS).map(([folder, settings]) => compile(sources[folder], settings, roots))
    const others = Object.entries(PACKAGED).map(([name, file]) => [name, packaged(file)])
    return Object.assign({}, ...compiled, Object.fromEntries(others))
  })
}
