// The first script: header, search, and the views by path.
//
//   router.js      which view a path has; links without loading the page anew
//   views/         a file a view: a function that reads what it needs, and gives a title and elements
//
//   rpc.js         JSON-RPC: calls, batches, failures          head.js       the newest block, as it changes
//   chain.js       blocks, transactions and logs               tokens.js     names and decimals of tokens
//   abi.js         what calls of tokens take and give          transfers.js  transfers in logs
//   wallets.js     wallets of the browser (EIP-6963)           network.js    the chain, for them (EIP-3085)
//   send.js        sending with a wallet                       faucet.js     value on development chains
//   search.js      what somebody looks for
//
//   dom.js, parts.js, findings.js, outcome.js                  elements, and what several views are made of
//   quantity.js, words.js                                      numbers and words

import { element } from './dom.js'
import { hasFaucet } from './faucet.js'
import { refreshAges } from './parts.js'
import { Router } from './router.js'
import { pathOf } from './search.js'
import { wordsOf } from './words.js'
import { address } from './views/address.js'
import { block } from './views/block.js'
import { faucet } from './views/faucet.js'
import { home } from './views/home.js'
import { token } from './views/token.js'
import { transaction } from './views/transaction.js'
import { wallet } from './views/wallet.js'

/** Those of blocks, transactions, addresses and tokens are as EIP-3091 has them. */
const ROUTES = [
  [/^\/explorer\/?$/, home],
  [/^\/explorer\/block\/(0x[0-9a-fA-F]+|[0-9]+)$/, block],
  [/^\/explorer\/tx\/(0x[0-9a-fA-F]{64})$/, transaction],
  [/^\/explorer\/(?:address|account)\/(0x[0-9a-fA-F]{40})$/, address],
  [/^\/explorer\/token\/(0x[0-9a-fA-F]{40})$/, token],
  [/^\/explorer\/wallet$/, wallet],
  [/^\/explorer\/faucet$/, faucet],
]

/** How often it is said anew how long ago something was. */
const AGES_MS = 5_000

const router = new Router(document.getElementById('main'), ROUTES)

function startSearch() {
  const form = document.getElementById('search')
  const answer = document.getElementById('search-answer')
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    answer.replaceChildren()
    try {
      router.go(await pathOf(form.elements.query.value))
    } catch (error) {
      answer.replaceChildren(element('span', { class: 'failure' }, wordsOf(error)))
    }
  })
  router.addEventListener('go', () => answer.replaceChildren())
}

async function showFaucet() {
  document.getElementById('faucet-link').hidden = !(await hasFaucet())
}

startSearch()
router.start()
setInterval(refreshAges, AGES_MS)
showFaucet().catch((error) => console.warn(`no faucet: ${wordsOf(error)}`))
