// Wallets of the browser: they announce themselves (EIP-6963), and are asked things (EIP-1193).

import { plain, wordsOf } from './words.js'

/** Wallets that are listed. */
const WALLETS_MAX = 20
/** Icons are images inside of their own address. Others would tell a stranger who looks at this page. */
const ICON = /^data:image\/(svg\+xml|png|webp|jpeg|gif)[;,]/
/** The code of what somebody declined; its meaning needs none of the wallet's own words. */
const DECLINED = 4001

/** What wallets say in numbers: EIP-1193, EIP-1474, EIP-3085 and EIP-3326. */
const WORDS = {
  [DECLINED]: 'You declined it in the wallet.',
  4100: 'The wallet does not let this page do that: connect it first.',
  4200: 'The wallet cannot do that.',
  4900: 'The wallet is not connected to any chain.',
  4901: 'The wallet is not connected to this chain.',
  4902: 'The wallet does not know this chain: add it first.',
  '-32002': 'The wallet waits for you: open it and answer its question.',
  '-32601': 'The wallet cannot do that.',
  '-32602': 'The wallet does not accept what this page asks.',
}

/** Calls `act` with `{ name, icon, provider }` of each wallet, once each, until `signal` is aborted. */
export function discoverWallets(act, signal) {
  const known = new Set()
  const announced = ({ detail }) => {
    const { info, provider } = detail ?? {}
    const isWallet = typeof info?.uuid === 'string' && typeof provider?.request === 'function'
    if (!isWallet || known.has(info.uuid) || known.size >= WALLETS_MAX) return
    known.add(info.uuid)
    act({ name: plain(String(info.name)), icon: ICON.test(info.icon) ? info.icon : null, provider })
  }
  window.addEventListener('eip6963:announceProvider', announced, { signal })
  window.dispatchEvent(new Event('eip6963:requestProvider'))
}

/** Asks a wallet; throws in words that somebody without its manual understands. */
export async function askWallet(provider, method, ...params) {
  try {
    return await provider.request({ method, params })
  } catch (error) {
    throw new Error(translated(error), { cause: error })
  }
}

function translated(error) {
  const own = plain(wordsOf(error))
  const words = WORDS[error?.code]
  if (words === undefined) return `The wallet says: ${own}`
  return error.code === DECLINED || own === '' ? words : `${words} (${own})`
}
