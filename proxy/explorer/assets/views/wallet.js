// Wallets: add this chain to one, connect it, send value with it.

import { button, element } from '../dom.js'
import { addNetwork } from '../network.js'
import { absent } from '../parts.js'
import { call } from '../rpc.js'
import { sendSection } from '../send.js'
import { askWallet, discoverWallets } from '../wallets.js'
import { wordsOf } from '../words.js'

export async function wallet(_, signal) {
  const chainId = await call('eth_chainId')
  const chain = element('p', {}, `This chain has the id ${BigInt(chainId)}.`)
  const list = element('ul', { class: 'wallets' })
  const empty = absent('No wallet is here. Those that announce themselves to pages (EIP-6963) appear by themselves.')
  const account = element('div')
  const connect = async (provider) => {
    const [from] = await askWallet(provider, 'eth_requestAccounts')
    if (from === undefined) throw new Error('The wallet has no account for this page.')
    account.replaceChildren(await sendSection(provider, chainId, from, signal))
  }
  discoverWallets((found) => {
    empty.hidden = true
    list.append(entry(found, () => addNetwork(found.provider, chainId), () => connect(found.provider)))
  }, signal)
  return { title: 'Wallet', content: [chain, empty, list, account] }
}

/** A wallet in the list. */
function entry({ name, icon }, add, connect) {
  const status = element('p', { role: 'status' })
  const attempt = (act, done) => async () => {
    try {
      await act()
      status.replaceChildren(done)
    } catch (error) {
      status.replaceChildren(element('span', { class: 'failure' }, wordsOf(error)))
    }
  }
  return element('li', { class: 'panel' },
    icon && element('img', { src: icon, alt: '', width: '32', height: '32' }),
    element('strong', {}, name),
    button('Add this network', attempt(add, 'The wallet knows this chain and uses it.')),
    button('Connect', attempt(connect, 'Connected.')),
    status)
}
