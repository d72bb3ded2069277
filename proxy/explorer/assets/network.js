// This chain, as wallets get to know it (EIP-3085).

import { NATIVE } from './quantity.js'
import { askWallet } from './wallets.js'

/** The parameter of `wallet_addEthereumChain`. The node is where this page comes from. */
function chainParameter(chainId, origin) {
  return {
    chainId,
    chainName: `Parhelion ${BigInt(chainId)}`,
    rpcUrls: [origin],
    nativeCurrency: NATIVE,
    blockExplorerUrls: [`${origin}/explorer`],
  }
}

/** Adds this chain to a wallet and switches to it. */
export async function addNetwork(provider, chainId) {
  await askWallet(provider, 'wallet_addEthereumChain', chainParameter(chainId, location.origin))
  await switchNetwork(provider, chainId)
}

/** Switches a wallet that knows this chain to it (EIP-3326). */
export const switchNetwork = (provider, chainId) => askWallet(provider, 'wallet_switchEthereumChain', { chainId })
