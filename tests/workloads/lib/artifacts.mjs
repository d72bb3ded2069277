// The contracts of the workloads, from two places:
//   contracts/*.sol   compiled by npm's solc with the optimiser, among them those of OpenZeppelin
//   PACKAGED          build artefacts in npm packages, as they were deployed; their licences forbid copies here
// What is compiled is kept in the packages folder under the hash of the sources and of the settings.

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { compile, kept, readSources } from '../../clients/lib/solidity.mjs'
import { SOURCE_DIR, packages } from './packages.mjs'

/** The sources of the contracts that are compiled here. */
export const CONTRACTS_DIR = path.join(SOURCE_DIR, 'contracts')

/** As contracts are deployed. */
export const OPTIMIZER = { enabled: true, runs: 200 }

const V3_CORE = '@uniswap/v3-core/artifacts/contracts'
const V3_PERIPHERY = '@uniswap/v3-periphery/artifacts/contracts'
const SAFE = '@safe-global/safe-contracts/build/artifacts/contracts'

const PACKAGED = {
  CompatibilityFallbackHandler: `${SAFE}/handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler.json`,
  EntryPoint: '@account-abstraction/contracts/artifacts/EntryPoint.json',
  MultiSend: `${SAFE}/libraries/MultiSend.sol/MultiSend.json`,
  NFTDescriptor: `${V3_PERIPHERY}/libraries/NFTDescriptor.sol/NFTDescriptor.json`,
  NonfungiblePositionManager: `${V3_PERIPHERY}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json`,
  NonfungibleTokenPositionDescriptor: `${V3_PERIPHERY}/NonfungibleTokenPositionDescriptor.sol/NonfungibleTokenPositionDescriptor.json`,
  QuoterV2: `${V3_PERIPHERY}/lens/QuoterV2.sol/QuoterV2.json`,
  Safe: `${SAFE}/Safe.sol/Safe.json`,
  SafeProxyFactory: `${SAFE}/proxies/SafeProxyFactory.sol/SafeProxyFactory.json`,
  SimpleAccount: '@account-abstraction/contracts/artifacts/SimpleAccount.json',
  SimpleAccountFactory: '@account-abstraction/contracts/artifacts/SimpleAccountFactory.json',
  SwapRouter: `${V3_PERIPHERY}/SwapRouter.sol/SwapRouter.json`,
  UniswapV2Factory: '@uniswap/v2-core/build/UniswapV2Factory.json',
  UniswapV2Pair: '@uniswap/v2-core/build/UniswapV2Pair.json',
  UniswapV2Router02: '@uniswap/v2-periphery/build/UniswapV2Router02.json',
  UniswapV3Factory: `${V3_CORE}/UniswapV3Factory.sol/UniswapV3Factory.json`,
  UniswapV3Pool: `${V3_CORE}/UniswapV3Pool.sol/UniswapV3Pool.json`,
  WETH9: '@uniswap/v2-periphery/build/WETH9.json',
}

let compiled

function compiledHere() {
  const sources = readSources(CONTRACTS_DIR)
  const settings = { optimizer: OPTIMIZER }
  const hash = createHash('sha256')
    .update(JSON.stringify([sources, settings]))
    .digest('hex')
    .slice(0, 16)
  const file = path.join(packages.dir(), `artifacts-${hash}.json`)
  return (compiled ??= kept(file, () => compile(sources, settings, [packages.modules()])))
}

/** `{ abi, bytecode, linkReferences }` of a contract; the references of libraries are for `linked`. */
export function artifact(name) {
  const file = PACKAGED[name]
  if (file === undefined) {
    const found = compiledHere()[name]
    if (!found) throw new Error(`no contract ${name}`)
    return found
  }
  const { abi, bytecode, linkReferences = {} } = packages.require()(file)
  return { abi, bytecode: bytecode.startsWith('0x') ? bytecode : `0x${bytecode}`, linkReferences }
}

/** A JSON file of the packages, undefined if there is none. */
export function published(file) {
  const found = path.join(packages.modules(), file)
  return fs.existsSync(found) ? JSON.parse(fs.readFileSync(found, 'utf8')) : undefined
}

/** The bytecode of an artefact with the addresses of its libraries, `{ name: address }`. */
export function linked({ bytecode, linkReferences = {} }, libraries = {}) {
  let code = bytecode
  for (const [name, places] of Object.values(linkReferences).flatMap((file) => Object.entries(file))) {
    if (!libraries[name]) throw new Error(`the library ${name} is needed`)
    for (const { start, length } of places) {
      const at = 2 + 2 * start
      code = code.slice(0, at) + libraries[name].slice(2).toLowerCase() + code.slice(at + 2 * length)
    }
  }
  return code
}
