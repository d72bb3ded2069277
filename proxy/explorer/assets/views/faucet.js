// The faucet of a development chain.

import { addressField, element, form } from '../dom.js'
import { askFaucet, hasFaucet } from '../faucet.js'
import { absent, addressLink, hash } from '../parts.js'
import { native } from '../quantity.js'
import { call } from '../rpc.js'
import { wordsOf } from '../words.js'

export async function faucet() {
  if (!(await hasFaucet())) {
    const words = 'This chain has no faucet: only development chains (parhelion dev) have one.'
    return { title: 'Faucet', content: [absent(words)] }
  }
  const answer = element('p', { id: 'faucet-answer', role: 'status' })
  const wanted = new URLSearchParams(location.search).get('address')
  const input = addressField('Address', 'address', { value: wanted })
  const ask = async ({ address }) => answer.replaceChildren(...(await give(address)))
  const words = 'Gives SOL of this development chain to an address. It is worth nothing anywhere else.'
  return { title: 'Faucet', content: [element('p', {}, words), form([input], 'Send me some', ask), answer] }
}

async function give(address) {
  try {
    const { amount, solanaSignature } = await askFaucet(address)
    const balance = await call('eth_getBalance', address, 'latest')
    return [
      `${native(amount)} went to `, addressLink(address), `, which has ${native(balance)} now. `,
      'The Solana transaction is ', hash(solanaSignature), '.',
    ]
  } catch (error) {
    return [element('span', { class: 'failure' }, wordsOf(error))]
  }
}
