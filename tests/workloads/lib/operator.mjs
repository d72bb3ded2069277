// The Solana transactions of an operator, counted at a cluster's own RPC: also those that no receipt speaks of, such as
// writes into a holder and translations.

import { ask } from '../../clients/lib/node.mjs'
import { sleep } from './sleep.mjs'

const PAGE = 1_000
const APPEAR_LIMIT_MS = 30_000
const POLL_MS = 200

/** The one that a workload's transaction needs at least is confirmed later than the receipt may come. */
const COMMITMENT = 'confirmed'

export class Operator {
  /** `url` is a cluster's JSON-RPC, `address` the operator's public key; the relay behind the node uses no other. */
  constructor(url, address) {
    this.url = url
    this.address = address
  }

  /** Where counting begins: the newest transaction, if there is any. */
  async mark() {
    return (await this.#signatures({ limit: 1 }))[0]?.signature
  }

  /** `{ transactions, computeUnits }` since a mark; waits until `expected`, a signature, is among them. */
  async since(mark, expected) {
    const end = Date.now() + APPEAR_LIMIT_MS
    let found = await this.#all(mark)
    while (!found.includes(expected)) {
      if (Date.now() > end) throw new Error(`${expected} is not among the transactions of ${this.address}`)
      await sleep(POLL_MS)
      found = await this.#all(mark)
    }
    let computeUnits = 0
    for (const signature of found) computeUnits += await this.#computeUnits(signature)
    return { transactions: found.length, computeUnits }
  }

  /** The signatures since a mark, newest first, page by page. */
  async #all(until) {
    const found = []
    for (let before; ; before = found.at(-1)) {
      const page = await this.#signatures({ until, before, limit: PAGE })
      found.push(...page.map(({ signature }) => signature))
      if (page.length < PAGE) return found
    }
  }

  #signatures(options) {
    return ask(this.url, 'getSignaturesForAddress', [this.address, { commitment: COMMITMENT, ...options }])
  }

  async #computeUnits(signature) {
    const options = { commitment: COMMITMENT, encoding: 'json', maxSupportedTransactionVersion: 1 }
    const transaction = await ask(this.url, 'getTransaction', [signature, options])
    return transaction?.meta?.computeUnitsConsumed ?? 0
  }
}
