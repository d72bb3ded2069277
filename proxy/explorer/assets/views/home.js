// The chain as it is: settings, newest blocks, newest transactions; new ones come in by themselves.

import { blocksDown, larger, newestNumber, searchTransactions } from '../chain.js'
import { element } from '../dom.js'
import { followHead } from '../head.js'
import { TRANSACTION_HEADINGS, blockLink, facts, row, tableOf, transactionCells, when } from '../parts.js'
import { grouped } from '../quantity.js'
import { callAll } from '../rpc.js'
import { wordsOf } from '../words.js'

/** Rows of each table. */
const ROWS = 10

export async function home(_, signal) {
  const newest = await newestNumber()
  const [settings, blocks, found] = await Promise.all([
    callAll([['eth_chainId'], ['eth_gasPrice'], ['web3_clientVersion']], signal),
    newestBlocks(newest, 0n, signal),
    searchTransactions({ from: newest, wanted: ROWS }, signal),
  ])
  const shown = new Newest(signal)
  shown.add(newest, blocks, found.transactions)
  followHead((number) => shown.catchUp(number), (error) => shown.say(error), signal)
  return { title: 'Newest blocks', content: shown.content(settings, blocks[0], found.next) }
}

/** The newest blocks down to number `to`, as many as there is room for. */
const newestBlocks = (from, to, signal) => blocksDown(from, larger(from - BigInt(ROWS) + 1n, to), false, signal)

/** The live part of the view. */
class Newest {
  #signal
  /** The newest block that is shown, and the newest that is known. */
  #number
  #known = 0n
  #isCatchingUp = false
  #head = element('span', { id: 'newest' })
  #status = element('p', { class: 'failure', role: 'status' })
  #blocks = element('tbody')
  #transactions = element('tbody')

  constructor(signal) {
    this.#signal = signal
  }

  content([chainId, gasPrice, version], block, searched) {
    const settings = facts([
      ['Newest block', this.#head],
      ['Chain id', `${BigInt(chainId)}`],
      ['Base fee', `${grouped(block?.baseFeePerGas ?? gasPrice)} wei per gas`],
      ['Node', version],
    ])
    const isAll = searched === null || this.#transactions.rows.length === ROWS
    const note = isAll ? null : element('p', { class: 'note' }, `Blocks from ${searched + 1n} on were searched.`)
    return [
      this.#status,
      settings,
      tableOf('Transactions', TRANSACTION_HEADINGS, this.#transactions, note),
      tableOf('Blocks', ['Block', 'Age', 'Transactions', 'Gas used'], this.#blocks),
    ]
  }

  /** Puts newer rows, newest first, in front of what is there. Rows that stay keep the focus that they may have. */
  add(number, blocks, transactions) {
    this.#number = number
    this.#head.replaceChildren(blockLink(number))
    prepend(this.#blocks, blocks.map(blockCells))
    prepend(this.#transactions, transactions.map(transactionCells))
  }

  say(error) {
    this.#status.replaceChildren(error === null ? '' : `${wordsOf(error)} Trying again.`)
  }

  /** Shows what came after the blocks that are shown, as much of it as there is room for. */
  async catchUp(number) {
    // An answer may be older than what a subscription has told meanwhile.
    this.#known = larger(this.#known, number)
    if (this.#isCatchingUp) return
    this.#isCatchingUp = true
    try {
      while (this.#known > this.#number && !this.#signal.aborted) await this.#showUpTo(this.#known)
      this.say(null)
    } catch (error) {
      if (!this.#signal.aborted) this.say(error)
    } finally {
      this.#isCatchingUp = false
    }
  }

  async #showUpTo(number) {
    const to = this.#number + 1n
    const [blocks, { transactions, next }] = await Promise.all([
      newestBlocks(number, to, this.#signal),
      searchTransactions({ from: number, to, wanted: ROWS }, this.#signal),
    ])
    // What was not searched lies between these and the ones that are shown.
    if (next !== null) this.#transactions.replaceChildren()
    this.add(number, blocks, transactions)
  }
}

function blockCells({ number, timestamp, transactions, gasUsed }) {
  return [blockLink(number), when(timestamp), `${transactions.length}`, grouped(gasUsed)]
}

function prepend(body, rows) {
  body.prepend(...rows.slice(0, ROWS).map(row))
  while (body.rows.length > ROWS) body.lastElementChild.remove()
}
