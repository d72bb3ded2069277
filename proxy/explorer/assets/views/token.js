// A token: what it says of itself, its newest transfers, and balances.

import { newestNumber, searchLogs } from '../chain.js'
import { addressField, element, form } from '../dom.js'
import { Findings } from '../findings.js'
import { absent, addressLink, facts, section } from '../parts.js'
import { units } from '../quantity.js'
import { amountsOf, describeTokens, isToken } from '../tokens.js'
import { PLACED_HEADINGS, TRANSFER, placedCells } from '../transfers.js'
import { wordsOf } from '../words.js'

/** How many transfers a search looks for. */
const ROWS = 25

export async function token([given], signal) {
  const address = given.toLowerCase()
  const described = (await describeTokens([address], signal)).get(address)
  if (!isToken(described)) {
    const words = absent('This address does not answer as a token: ', addressLink(address, { isFull: true }))
    return { title: 'Token', content: [words] }
  }
  const [{ supply }, newest] = await Promise.all([amountsOf(address, null, signal), newestNumber()])
  const transfers = new Findings(newest, (from) => findTransfers(address, from, signal))
  await transfers.more()
  const { name, symbol, decimals } = described
  const warning = 'Names and symbols are what the author of the contract wrote: anybody can write anything.'
  return {
    title: `Token ${name ?? symbol ?? ''}`.trim(),
    content: [
      facts([
        ['Name', name ?? 'none'],
        ['Symbol', symbol ?? 'none'],
        ['Decimals', decimals === null ? 'none' : `${decimals}`],
        ['Total supply', supply === null ? 'not told' : amount(supply, described)],
        ['Contract', addressLink(address, { isFull: true })],
      ]),
      element('p', { class: 'note' }, warning),
      balances(address, described),
      transfers.content('Newest transfers', PLACED_HEADINGS),
    ],
  }
}

const amount = (value, { decimals, symbol }) => [units(value, decimals ?? 0), symbol].filter(Boolean).join(' ')

/** A form that tells the balance of an address. */
function balances(address, described) {
  const answer = element('output', { id: 'token-balance' })
  const ask = async ({ holder }) => {
    try {
      const { balance } = await amountsOf(address, holder)
      answer.replaceChildren(balance === null ? 'The token does not tell.' : amount(balance, described))
    } catch (error) {
      answer.replaceChildren(wordsOf(error))
    }
  }
  return section('Balance', form([addressField('Address', 'holder')], 'Show', ask), answer)
}

async function findTransfers(address, from, signal) {
  const { logs, next } = await searchLogs([{ address, topics: [TRANSFER] }], from, ROWS, signal)
  return { rows: await placedCells(logs, signal), next }
}
