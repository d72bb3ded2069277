// Blocks, transactions and logs, from the newest downwards, in bounded requests.
//
// On a cluster there is a block every 400 ms: most are empty, or each holds hundreds of transactions. So a search looks
// at few blocks first, at more when it finds little, and at less when the node says that it is too much. It ends after
// some requests, and tells the block to go on with: null at the chain's beginning.

import { RpcFailure, call, callAll } from './rpc.js'
import { toHex } from './quantity.js'

/** Requests of one search. */
const REQUESTS_MAX = 10
/** Blocks that the first request looks at, and the most of one. The node would give logs of 100,000. */
const BLOCKS = { first: 4n, most: 64n }
const LOG_BLOCKS = { first: 1_000n, most: 80_000n }
/** How much more or less the next request looks at. */
const CHANGE = 4n
/** The node's codes for more than it gives at once: results, an answer, the answers of a batch. */
const TOO_MUCH = [-32005, -32008, -32011]

export const larger = (a, b) => (a > b ? a : b)
const smaller = (a, b) => (a < b ? a : b)

/** The number of the newest block. */
export const newestNumber = async () => BigInt(await call('eth_blockNumber'))

/**
 * The blocks from number `from` down to `to`, with their transactions or only with the hashes of these. Those that the
 * node does not have are left out.
 */
export async function blocksDown(from, to, hasTransactions, signal) {
  const count = larger(from - larger(to, 0n) + 1n, 0n)
  const numbers = Array.from({ length: Number(count) }, (_, index) => toHex(from - BigInt(index)))
  const blocks = await callAll(numbers.map((number) => ['eth_getBlockByNumber', number, hasTransactions]), signal)
  return blocks.filter((block) => block !== null)
}

/**
 * Looks for some `wanted` transactions in the blocks from number `from` down to `to`, newest first. `choose` gives
 * those of some that count; each has the time of its block, `timestamp`.
 */
export async function searchTransactions({ from, to = 0n, wanted, choose = (some) => some }, signal) {
  const transactions = []
  const read = async (upper, lower) => {
    const blocks = await blocksDown(upper, lower, true, signal)
    transactions.push(...(await choose(blocks.flatMap(transactionsOf))))
    return { isEnough: transactions.length >= wanted, isEnd: blocks.length === 0 }
  }
  return { transactions, next: await downwards(from, to, BLOCKS, read) }
}

const transactionsOf = ({ transactions, timestamp }) =>
  transactions.map((transaction) => ({ ...transaction, timestamp })).reverse()

/** The same transactions; those that create a contract have its address, `creates`. Only receipts tell it. */
export async function withCreations(transactions, signal) {
  const creations = transactions.filter(({ to }) => to === null)
  const receipts = await callAll(creations.map(({ hash }) => ['eth_getTransactionReceipt', hash]), signal)
  const created = new Map(receipts.map((receipt, index) => [creations[index].hash, receipt?.contractAddress]))
  return transactions.map((transaction) => ({ ...transaction, creates: created.get(transaction.hash) }))
}

/** Looks for some `wanted` logs that match one of `filters`, from block `from` downwards, newest first. */
export async function searchLogs(filters, from, wanted, signal) {
  const logs = []
  const read = async (upper, lower) => {
    const blocks = { fromBlock: toHex(lower), toBlock: toHex(upper) }
    const found = await callAll(filters.map((filter) => ['eth_getLogs', { ...filter, ...blocks }]), signal)
    logs.push(...newestFirst(found.flat()))
    return { isEnough: logs.length >= wanted, isEnd: false }
  }
  const next = await downwards(from, 0n, LOG_BLOCKS, read)
  if (logs.length <= wanted) return { logs, next }
  // Whole blocks, so that the next search can go on below.
  const last = BigInt(logs[wanted - 1].blockNumber)
  return { logs: logs.filter(({ blockNumber }) => BigInt(blockNumber) >= last), next: last > 0n ? last - 1n : null }
}

/** Without those that match two filters twice. */
function newestFirst(logs) {
  const byPlace = new Map(logs.map((log) => [(BigInt(log.blockNumber) << 32n) + BigInt(log.logIndex), log]))
  return [...byPlace].sort(([a], [b]) => (a > b ? -1 : 1)).map(([, log]) => log)
}

/** Reads ranges of blocks until there is enough, or it was enough work. Gives the block to go on with, or null. */
async function downwards(from, to, { first, most }, read) {
  let [next, size] = [from, first]
  for (let requests = 0; requests < REQUESTS_MAX && next >= to; requests += 1) {
    const lower = larger(next - size + 1n, to)
    try {
      const { isEnough, isEnd } = await read(next, lower)
      if (isEnd) return null
      next = lower - 1n
      if (isEnough) break
      size = smaller(size * CHANGE, most)
    } catch (error) {
      const isTooMuch = error instanceof RpcFailure && TOO_MUCH.includes(error.code)
      if (!isTooMuch || size === 1n) throw error
      size = larger(size / CHANGE, 1n)
    }
  }
  return next >= to ? next : null
}
