// How a transaction ended.

import { element } from './dom.js'

/** In the words of the receipt's `outcome`; other nodes only have a status. */
const WORDS = {
  success: 'succeeded',
  revert: 'reverted',
  halt: 'halted',
  outOfRentGas: 'out of rent gas',
  cancelled: 'cancelled',
}

export function outcomeOf({ status, outcome }) {
  const isSuccess = BigInt(status) === 1n
  const words = WORDS[outcome] ?? (isSuccess ? 'succeeded' : 'failed')
  return element('span', { class: isSuccess ? 'success' : 'failure' }, words)
}
