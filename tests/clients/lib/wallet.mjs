// A wallet for tests of web pages: an EIP-1193 provider that holds a key, announced as EIP-6963 has it.

import { ethers } from './env.mjs'

const ICON = 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'

/** An error as wallets give it. */
export class WalletError extends Error {
  constructor(code, message) {
    super(message)
    this.code = code
  }
}

/** The wallet of the key `privateKey`. It knows Ethereum only, until a page adds a chain. */
export class TestWallet {
  /** What pages asked, as `{ method, params }`. */
  requests = []
  /** Errors that the next requests get, by method: what somebody declines. */
  refusals = new Map()
  #chains = new Map([['0x1', undefined]])
  #chainId = '0x1'

  constructor(privateKey, { name = 'Test Wallet', icon = ICON } = {}) {
    Object.assign(this, { name, icon })
    this.signer = new ethers.Wallet(privateKey)
  }

  get address() {
    return this.signer.address.toLowerCase()
  }

  /** Answers a page. */
  async request({ method, params = [] }) {
    this.requests.push({ method, params })
    const refusal = this.refusals.get(method)
    if (refusal) {
      this.refusals.delete(method)
      throw refusal
    }
    switch (method) {
      case 'eth_chainId':
        return this.#chainId
      case 'eth_requestAccounts':
      case 'eth_accounts':
        return [this.address]
      case 'wallet_addEthereumChain':
        this.#chains.set(params[0].chainId, params[0].rpcUrls[0])
        return null
      case 'wallet_switchEthereumChain':
        if (!this.#chains.has(params[0].chainId)) throw new WalletError(4902, 'Unrecognized chain ID')
        this.#chainId = params[0].chainId
        return null
      case 'eth_sendTransaction':
        return this.#send(params[0])
      default:
        throw new WalletError(4200, `${method} is not supported`)
    }
  }

  /** Fills in, signs and sends a transaction, through the address that the page gave for its chain. */
  async #send({ from, ...transaction }) {
    if (from !== this.address) throw new WalletError(4100, `${from} is not my account`)
    const url = this.#chains.get(this.#chainId)
    if (url === undefined) throw new WalletError(4901, 'there is no node for this chain')
    const provider = new ethers.JsonRpcProvider(url, undefined, { staticNetwork: true, batchMaxCount: 1 })
    try {
      return (await this.signer.connect(provider).sendTransaction(transaction)).hash
    } finally {
      provider.destroy()
    }
  }

  /** Puts the wallet into a page, before its scripts run. */
  async install(page) {
    const id = crypto.randomUUID()
    await page.exposeFunction(`wallet_${id}`, async (question) => {
      try {
        return { result: await this.request(question) }
      } catch (error) {
        return { error: { code: error.code, message: error.message } }
      }
    })
    await page.addInitScript(announce, { id, name: this.name, icon: this.icon })
  }
}

/** Runs in the page. */
function announce({ id, name, icon }) {
  const provider = {
    async request(question) {
      const { result, error } = await globalThis[`wallet_${id}`](question)
      if (error) throw Object.assign(new Error(error.message), { code: error.code })
      return result
    },
  }
  const info = Object.freeze({ uuid: id, name, icon, rdns: 'example.wallet' })
  const say = () => {
    const detail = Object.freeze({ info, provider })
    window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }))
  }
  window.addEventListener('eip6963:requestProvider', say)
  say()
}
