// What every test file starts from: the node's address, the packages, funded accounts, compiled contracts.

import assert from 'node:assert/strict'
import { artifacts } from './contracts.mjs'
import { ask } from './node.mjs'
import { packageRequire } from './packages.mjs'

const require = packageRequire()

export const ethers = require('ethers')
export const viem = { ...require('viem'), ...require('viem/accounts') }

/** The node under test; `run.mjs` sets it. */
export const RPC_URL = process.env.PARHELION_RPC_URL
assert.ok(RPC_URL, 'PARHELION_RPC_URL is not set: start the tests with run.mjs')

/** Whether nobody but these tests uses the node, so that its block number belongs to them. */
export const EXCLUSIVE = process.env.PARHELION_EXCLUSIVE === '1'

/** The binary under test, where `run.mjs` was given one. */
export const BINARY = process.env.PARHELION_BINARY

const MNEMONIC = 'test test test test test test test test test test test junk'

/** One funded account (or two) for each test file, so that files never share a nonce. */
export const ACCOUNT = {
  foundry: 0,
  ethers: 1,
  ethersSpender: 2,
  viem: 3,
  viemSpender: 4,
  values: 5,
  rpc: 6,
  badTransactions: 7,
  badRequests: 8, // sends nothing
  sdk: 9,
  // There are ten, and files run one after the other: these share the account of the file that sends nothing.
  web3js: 8,
  web3py: 8,
}

/** The development account `index` as `{ address, privateKey }`. */
export function account(index) {
  const { address, privateKey } = ethers.HDNodeWallet.fromPhrase(MNEMONIC, '', `m/44'/60'/0'/0/${index}`)
  return { address, privateKey }
}

/** An address that no one has used, also not in an earlier run against the same node. */
export const freshAddress = () => ethers.Wallet.createRandom().address

/** `{ abi, bytecode }` of a contract in contracts/. */
export function artifact(name) {
  const found = artifacts()[name]
  assert.ok(found, `no contract ${name} in contracts/`)
  return found
}

/** The options of a suite: a transaction that is never mined must not stop the whole run. */
export const SUITE = { timeout: 120_000 }

/** A result of the node under test; throws on an error. */
export const rpc = (method, ...params) => ask(RPC_URL, method, params)

/** anvil differs in a few answers; each test that cares says how. */
export async function isAnvil() {
  return /^anvil/i.test(await rpc('web3_clientVersion'))
}

/** Polls `probe` until it returns something other than null and undefined. */
export async function eventually(what, probe, limitMs = 15_000) {
  const end = Date.now() + limitMs
  for (;;) {
    const found = await probe()
    if (found !== null && found !== undefined) return found
    assert.ok(Date.now() < end, `${what}: not within ${limitMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
