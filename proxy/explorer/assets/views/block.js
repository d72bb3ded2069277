// A block: its header, and its transactions with how they ended.

import { button, element } from '../dom.js'
import { outcomeOf } from '../outcome.js'
import { absent, addressLink, data, facts, hash, recipient, row } from '../parts.js'
import { table, tableOf, transactionLink, when } from '../parts.js'
import { grouped, native, toHex } from '../quantity.js'
import { call } from '../rpc.js'
import { moment } from '../words.js'

/** Transactions that are shown at a time. */
const ROWS = 50
/** Characters of a hash, `0x` included. */
const HASH_LENGTH = 66
/** The largest number that the node understands. */
const NUMBER_MAX = (1n << 64n) - 1n

const HEADINGS = ['Transaction', 'Outcome', 'From', 'To', 'Value', 'Gas used', 'Compute units']

export async function block([id]) {
  const found = await read(id)
  if (found === null) {
    const words = 'This node does not have this block: it may be still to come, or from before what the node keeps.'
    return { title: `Block ${id}`, content: [absent(words)] }
  }
  const receipts = found.transactions.length > 0 ? await call('eth_getBlockReceipts', found.number) : []
  const number = BigInt(found.number)
  return {
    title: `Block ${number}`,
    content: [neighbours(number), header(found), transactions(found.transactions, receipts ?? [])],
  }
}

async function read(id) {
  if (id.length === HASH_LENGTH) return call('eth_getBlockByHash', id, true)
  if (BigInt(id) > NUMBER_MAX) throw new Error('No block has such a large number.')
  return call('eth_getBlockByNumber', toHex(id), true)
}

function neighbours(number) {
  const link = (target, text) => element('a', { href: `/explorer/block/${target}` }, text)
  return element('nav', { 'aria-label': 'Blocks before and after', class: 'neighbours' },
    number > 0n && link(number - 1n, '← Before'), link(number + 1n, 'After →'))
}

function header(found) {
  return facts([
    ['Time', when(found.timestamp), ` (${moment(found.timestamp)})`],
    ['Hash', hash(found.hash)],
    ['Parent', element('a', { class: 'hash', href: `/explorer/block/${found.parentHash}` }, found.parentHash)],
    ['Fees go to', addressLink(found.miner, { isFull: true })],
    ['Gas used', `${grouped(found.gasUsed)} of ${grouped(found.gasLimit)}`],
    ['Base fee', found.baseFeePerGas ? `${grouped(found.baseFeePerGas)} wei per gas` : null],
    ['Size', `${grouped(found.size)} bytes`],
    ['State root', hash(found.stateRoot)],
    ['Transactions root', hash(found.transactionsRoot)],
    ['Receipts root', hash(found.receiptsRoot)],
    ['PREVRANDAO', hash(found.mixHash)],
    ['Extra data', data(found.extraData)],
  ])
}

/** The transactions, some at a time: a block may have thousands. */
function transactions(all, receipts) {
  const title = `Transactions (${all.length})`
  if (all.length === 0) return table(title, HEADINGS, [], 'This block is empty.')
  const body = element('tbody')
  const more = button('Show more', () => showMore())
  const showMore = () => {
    const start = body.rows.length
    body.append(...all.slice(start, start + ROWS).map((one, index) => row(cells(one, receipts[start + index]))))
    more.hidden = body.rows.length >= all.length
  }
  showMore()
  return tableOf(title, HEADINGS, body, more)
}

function cells(transaction, receipt) {
  return [
    transactionLink(transaction.hash),
    receipt && outcomeOf(receipt),
    addressLink(transaction.from),
    recipient({ ...transaction, creates: receipt?.contractAddress }),
    native(transaction.value),
    receipt && grouped(receipt.gasUsed),
    receipt?.totalComputeUnits && grouped(receipt.totalComputeUnits),
  ]
}
