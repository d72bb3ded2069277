// What somebody looks for: a number or hash of a block, the hash of a transaction, an address.

import { callAll } from './rpc.js'

/** The path of what `query` names; throws when there is no such thing. */
export async function pathOf(query) {
  const text = query.trim().replaceAll(/[\s,_]/g, '')
  if (/^[0-9]{1,20}$/.test(text)) return `/explorer/block/${BigInt(text)}`
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return `/explorer/address/${text.toLowerCase()}`
  if (/^0x[0-9a-fA-F]{1,16}$/.test(text)) return `/explorer/block/${BigInt(text)}`
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) {
    throw new Error('That is no block number (12 or 0xc), hash (0x and 64 digits) or address (0x and 40 digits).')
  }
  const hash = `0x${text.toLowerCase().replace(/^0x/, '')}`
  const [transaction, block] = await callAll([['eth_getTransactionByHash', hash], ['eth_getBlockByHash', hash, false]])
  if (transaction !== null) return `/explorer/tx/${hash}`
  if (block !== null) return `/explorer/block/${hash}`
  throw new Error('This node knows neither a transaction nor a block with this hash.')
}
