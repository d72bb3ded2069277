// One node, as workloads use it: signed transactions go in, receipts come out, and the node's own words when not.

import { packageRequire } from '../../clients/lib/packages.mjs'
import { sleep } from './sleep.mjs'

export const ethers = packageRequire()('ethers')

/** EIP-7825: the most gas that the EVM gives one transaction. Signed on every node, so that GAS shows the same. */
const EVM_GAS = 1n << 24n
/** On top of it where state costs rent. */
const RENT_GAS = 500_000_000n

const RECEIPT_LIMIT_MS = 120_000
/** Large transactions that do not run in steps look the same at first. */
const RUN_LIMIT_MS = 1_000
const POLL_MS = 5
/** How often to ask whether a transaction without a receipt is still there. */
const DOUBT_MS = 1_000

/** For clocks that are a little late. */
const MARGIN_MS = 50
const WAIT_MS_MAX = 5_000

/** What the node said, without what ethers says about it. */
export function nodeMessage(error) {
  const said = error.info?.error ?? error.error
  return `${said?.message ?? (error.stderr?.trim() || error.shortMessage || error.message || error)}`
}

export class Chain {
  /**
   * `prepare(chain)` runs before every transaction; `log()` gives the end of the node's log, where it is ours; `isOwn` says
   * that it is a development chain of Parhelion which nobody else uses; `operator` counts the Solana transactions of a
   * node in front of a cluster.
   */
  constructor(url, { prepare = async () => {}, log = () => '', isOwn = false, operator } = {}) {
    this.url = url
    this.prepare = prepare
    this.log = log
    this.isOwn = isOwn
    this.operator = operator
    // One request a message: ethers would hold each back to see whether there are more.
    this.provider = new ethers.JsonRpcProvider(url, undefined, {
      batchMaxCount: 1,
      cacheTimeout: -1,
      staticNetwork: true,
    })
  }

  /** Asks for what stays as it is. */
  async connect() {
    const [id, version, block] = await Promise.all([
      this.rpc('eth_chainId'),
      this.rpc('web3_clientVersion'),
      this.rpc('eth_getBlockByNumber', 'latest', false),
    ])
    this.id = BigInt(id)
    this.version = version
    this.baseFee = BigInt(block.baseFeePerGas)
    this.blockGas = BigInt(block.gasLimit)
    this.coinbase = block.miner
    this.isAnvil = /^anvil/i.test(version)
    const wanted = this.isAnvil ? EVM_GAS : EVM_GAS + RENT_GAS
    this.gasLimit = wanted < this.blockGas ? wanted : this.blockGas
    return this
  }

  close() {
    this.provider.destroy()
  }

  rpc(method, ...params) {
    return this.provider.send(method, params)
  }

  async nonce(address) {
    return Number(await this.rpc('eth_getTransactionCount', address, 'latest'))
  }

  /** What every transaction is signed with. */
  envelope() {
    const fees = { maxFeePerGas: this.baseFee, maxPriorityFeePerGas: 0n }
    return { type: 2, chainId: this.id, gasLimit: this.gasLimit, ...fees }
  }

  /** Sends what is signed; see `measure`. */
  land(signed) {
    return this.measure(async () => (await this.provider.broadcastTransaction(signed)).hash)
  }

  /**
   * Lands the transaction that `act` sends, which resolves to its hash: `{ receipt, ms, counted, run }` with the time from
   * sending to the receipt, and what was counted on Solana beside the receipt (see `onSolana`).
   */
  async measure(act) {
    await this.prepare(this)
    const mark = await this.operator?.mark()
    const before = this.isOwn ? Number(await this.rpc('eth_blockNumber')) : undefined
    const start = performance.now()
    const receipt = await this.receipt(await act())
    const ms = Math.round(performance.now() - start)
    // A development chain makes a slot for each Solana transaction.
    const slots = this.isOwn ? { transactions: Number(receipt.blockNumber) - before } : {}
    const counted = (await this.operator?.since(mark, receipt.solanaSignature)) ?? slots
    return { receipt, ms, counted, run: await this.#run(receipt) }
  }

  /** What a run in steps took, if this was one: the node knows a moment after the receipt is there. */
  async #run({ transactionHash, solanaSignatures = [] }) {
    const end = Date.now() + RUN_LIMIT_MS
    while (solanaSignatures.length > 1) {
      const run = await this.rpc('parhelion_getRun', transactionHash)
      if (run || Date.now() > end) return run
      await sleep(POLL_MS)
    }
    return null
  }

  /**
   * The receipt of `hash`, as the node gives it: ethers drops the fields that it does not know. Rejects when the
   * node does not know the transaction any more, or never gives a receipt.
   */
  async receipt(hash) {
    const start = performance.now()
    let asked = start
    let unknown = 0
    for (;;) {
      const receipt = await this.rpc('eth_getTransactionReceipt', hash)
      if (receipt) {
        this.newest = { number: receipt.blockNumber, seen: Date.now() }
        return receipt
      }
      // It may land between the two questions, so one answer is not enough.
      if (unknown === 2) throw new Error(`dropped without a receipt${this.#logged(hash)}`)
      const now = performance.now()
      if (now - asked > DOUBT_MS) {
        asked = now
        unknown = (await this.rpc('eth_getTransactionByHash', hash)) ? 0 : unknown + 1
      }
      if (now - start > RECEIPT_LIMIT_MS)
        throw new NoReceipt(`no receipt of ${hash} within ${RECEIPT_LIMIT_MS / 1000} s`)
      await sleep(POLL_MS)
    }
  }

  /** What the node's log says of a transaction, if this is our node. */
  #logged(hash) {
    const plain = this.log().replace(/\x1b\[[0-9;]*m/g, '')
    const said = plain.split('\n').find((text) => text.includes(hash))
    return said ? `; its log: ${said.replace(/ *\b(hash|sender)=\S+/g, '').trim()}` : ''
  }

  /** The next block will have a later timestamp than the newest one: anvil is told, others are given time. */
  async nextSecond() {
    if (this.isAnvil) {
      await this.rpc('evm_increaseTime', 1)
    } else if (this.newest) {
      const { timestamp } = await this.rpc('eth_getBlockByNumber', this.newest.number, false)
      const later = Math.max(this.newest.seen + 1_000, (Number(timestamp) + 1) * 1_000)
      await sleep(Math.min(later - Date.now() + MARGIN_MS, WAIT_MS_MAX))
    }
  }
}

/** A transaction was accepted and never seen again. */
export class NoReceipt extends Error {}
