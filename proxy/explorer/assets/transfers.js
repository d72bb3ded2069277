// Transfers of tokens, as ERC-20 and ERC-721 log them.

import { addressOfTopic, decodeUint } from './abi.js'
import { addressLink, blockLink, tokenLink, transactionLink } from './parts.js'
import { grouped, units } from './quantity.js'
import { describeTokens } from './tokens.js'

/** Transfer(address,address,uint256), of both standards. */
export const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'
/** Topics of an amount's transfer; that of one token has its number as one more. */
const ERC20_TOPICS = 3
const ERC721_TOPICS = 4

export const TRANSFER_HEADINGS = ['From', 'To', 'Amount', 'Token']
/** The same with the place in the chain in front. */
export const PLACED_HEADINGS = ['Block', 'Transaction', ...TRANSFER_HEADINGS]

/** The transfer in a log: with an `amount` (ERC-20) or an `id` (ERC-721); null if it is none. */
function transferOf(log) {
  const [kind, from, to, id] = log.topics
  if (kind !== TRANSFER) return null
  const parties = () => ({ log, token: log.address, from: addressOfTopic(from), to: addressOfTopic(to) })
  if (log.topics.length === ERC721_TOPICS && log.data === '0x') return { ...parties(), id: BigInt(id) }
  const amount = decodeUint(log.data)
  return log.topics.length === ERC20_TOPICS && amount !== null ? { ...parties(), amount } : null
}

/** Cells for each transfer in logs. */
export async function transferCells(logs, signal) {
  const transfers = logs.map(transferOf).filter((transfer) => transfer !== null)
  const tokens = await describeTokens(transfers.map(({ token }) => token), signal)
  return transfers.map((transfer) => [
    addressLink(transfer.from),
    addressLink(transfer.to),
    amountOf(transfer, tokens.get(transfer.token)),
    tokenLink(transfer.token, tokens.get(transfer.token)),
  ])
}

/** The same with the place in the chain in front. Logs that are no transfers are left out. */
export async function placedCells(logs, signal) {
  const transfers = logs.filter((log) => transferOf(log) !== null)
  const cells = await transferCells(transfers, signal)
  const place = ({ blockNumber, transactionHash }) => [blockLink(blockNumber), transactionLink(transactionHash)]
  return cells.map((cells, index) => [...place(transfers[index]), ...cells])
}

const amountOf = ({ amount, id }, { decimals }) =>
  id === undefined ? units(amount, decimals ?? 0) : `number ${grouped(id)}`
