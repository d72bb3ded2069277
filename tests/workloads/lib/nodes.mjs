// The node under test and the reference beside it.

import path from 'node:path'
import { freePort, startNode } from '../../clients/lib/node.mjs'
import { foundryTool } from '../../clients/lib/packages.mjs'
import { Chain, ethers } from './chain.mjs'

const MNEMONIC = 'test test test test test test test test test test test junk'

/** What each account of a workload gets from the first development account, in wei. */
const FUNDS = 20n * 10n ** 18n

/** Starts `parhelion dev` on a free port. */
export async function startParhelion(binary) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  return { url, ...(await startNode(path.resolve(binary), ['dev', '--listen', `127.0.0.1:${port}`], url)) }
}

/** A validator has to start, and the program to be deployed, before its node answers. */
const LOCALNET_LIMIT_MS = 120_000

/** Starts `parhelion-localnet` on free ports: a node in front of a validator. */
export async function startLocalnet(binary, options = []) {
  const [port, solana] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  const args = ['--rpc-port', `${solana}`, '--listen', `127.0.0.1:${port}`, ...options]
  return { url, ...(await startNode(path.resolve(binary), args, url, LOCALNET_LIMIT_MS)) }
}

/** Starts anvil on a free port; `like` is a chain whose id, block gas limit and base fee it takes. */
export async function startAnvil(like, hardfork = 'osaka') {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const options = {
    port,
    hardfork,
    mnemonic: MNEMONIC,
    order: 'fifo',
    'chain-id': like?.id ?? 31_337,
    'gas-limit': like?.blockGas ?? 1_000_000_000,
    'block-base-fee-per-gas': like?.baseFee ?? 1_000_000_000,
  }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`])
  // Workloads that need the deterministic deployer deploy it.
  const flags = ['--disable-min-priority-fee', '--disable-default-create2-deployer', '--quiet']
  return { url, ...(await startNode(foundryTool('anvil'), [...args, ...flags], url)) }
}

/** Connects to a reference: its base fee stays the same, and fees go to the same address as on the chain `like`. */
export async function connectReference(url, like) {
  const prepare = (chain) => chain.rpc('anvil_setNextBlockBaseFeePerGas', ethers.toQuantity(chain.baseFee))
  const chain = await new Chain(url, { prepare }).connect()
  if (like) await chain.rpc('anvil_setCoinbase', like.coinbase)
  return chain
}

/** Connects to the node under test; `options` are those of a chain. */
export async function connectTarget(url, options) {
  const chain = await new Chain(url, options).connect()
  return chain.isAnvil ? connectReference(url) : chain
}

/** Pays the accounts of a session; they must be new, since addresses of contracts depend on their nonces. */
export async function fund(chain, accounts) {
  const payer = ethers.HDNodeWallet.fromPhrase(MNEMONIC)
  for (const { address } of accounts) {
    if ((await chain.nonce(address)) > 0) {
      throw new Error(`${address} has sent transactions to ${chain.url} before: choose another --seed`)
    }
    const nonce = await chain.nonce(payer.address)
    const request = { ...chain.envelope(), to: address, value: FUNDS, nonce }
    const { receipt } = await chain.land(await payer.signTransaction(request))
    if (BigInt(receipt.status) !== 1n)
      throw new Error(`${address} could not be paid: ${receipt.outcome ?? 'failed'}`)
  }
}
