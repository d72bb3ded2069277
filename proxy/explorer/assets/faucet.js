// The faucet, which only development chains have.

import { RpcFailure, call } from './rpc.js'

const METHOD_NOT_FOUND = -32601

let answer

/** Whether the node has a faucet. Without an address it gives nothing, but says whether it could. */
export function hasFaucet() {
  answer ??= call('parhelion_faucet').then(
    () => true,
    (error) => {
      if (error instanceof RpcFailure) return error.code !== METHOD_NOT_FOUND
      answer = undefined
      throw error
    },
  )
  return answer
}

/** Has something given to an address: `{ amount, solanaSignature }`. */
export const askFaucet = (address) => call('parhelion_faucet', address)
