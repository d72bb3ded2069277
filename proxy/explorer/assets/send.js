// Sending value with a wallet.

import { addressField, element, field, form } from './dom.js'
import { pause } from './head.js'
import { switchNetwork } from './network.js'
import { outcomeOf } from './outcome.js'
import { addressLink, blockLink, facts, section, transactionLink } from './parts.js'
import { NATIVE, native, parseUnits, toHex } from './quantity.js'
import { call } from './rpc.js'
import { askWallet } from './wallets.js'
import { wordsOf } from './words.js'

/** How often is asked whether a sent transaction landed. */
const LOOK_MS = 500

/** The balance of the account `from` of a wallet, and a form to send from it. */
export async function sendSection(provider, chainId, from, signal) {
  const balance = element('span')
  const refresh = async () => balance.replaceChildren(native(await call('eth_getBalance', from, 'latest')))
  await refresh()
  const answer = element('p', { id: 'send-answer', role: 'status' })
  const fields = [
    addressField('To', 'to'),
    field(`Amount in ${NATIVE.symbol}`, 'amount', { inputmode: 'decimal', placeholder: '0.1' }),
  ]
  const submit = async ({ to, amount }) => {
    try {
      const hash = await send(provider, chainId, { from, to, value: toHex(parseUnits(amount, NATIVE.decimals)) })
      await showLanded(hash, answer, signal)
      await refresh()
    } catch (error) {
      answer.replaceChildren(element('span', { class: 'failure' }, wordsOf(error)))
    }
  }
  const account = facts([['From', addressLink(from, { isFull: true })], ['Balance', balance]])
  return section('Send', account, form(fields, 'Send', submit), answer)
}

/** Has the wallet sign and send a transaction on this chain; gives its hash. */
async function send(provider, chainId, transaction) {
  const current = await askWallet(provider, 'eth_chainId')
  if (BigInt(current) !== BigInt(chainId)) await switchNetwork(provider, chainId)
  return askWallet(provider, 'eth_sendTransaction', transaction)
}

async function showLanded(hash, answer, signal) {
  answer.replaceChildren('Sent as ', transactionLink(hash), '; it waits to be landed.')
  while (!signal.aborted) {
    const receipt = await call('eth_getTransactionReceipt', hash)
    if (receipt !== null) {
      const place = blockLink(receipt.blockNumber)
      answer.replaceChildren(transactionLink(hash), ' ', outcomeOf(receipt), ' in block ', place, '.')
      return
    }
    await pause(LOOK_MS, signal)
  }
}
