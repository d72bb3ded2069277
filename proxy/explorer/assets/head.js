// The newest block, as it changes: told by a subscription where the node has them, asked for otherwise.

import { call } from './rpc.js'

/** How often the node is asked that has no subscriptions. */
const POLL_MS = 2_000
/** How long a subscription may take to begin. */
const SUBSCRIBE_MS_MAX = 3_000

/**
 * Calls `act` with the number of each new block until `signal` is aborted; numbers may be left out. `trouble` gets an
 * error while the node does not answer, and null when it does again.
 */
export async function followHead(act, trouble, signal) {
  while (!signal.aborted) {
    // A subscription ends when the connection does.
    if (await subscribe(act, signal)) await pause(POLL_MS, signal)
    else await poll(act, trouble, signal)
  }
}

/** Whether there was a subscription. */
function subscribe(act, signal) {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`)
    let subscription
    const end = () => {
      clearTimeout(patience)
      signal.removeEventListener('abort', end)
      socket.close()
      resolve(subscription !== undefined)
    }
    const patience = setTimeout(end, SUBSCRIBE_MS_MAX)
    signal.addEventListener('abort', end)
    socket.addEventListener('close', end)
    socket.addEventListener('open', () => {
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }))
    })
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(data)
      if (message.id === 1) {
        clearTimeout(patience)
        subscription = message.result
        if (subscription === undefined) end()
        // What came before it began, it does not tell.
        else askNewest(act, signal)
      } else if (message.params?.subscription === subscription && !signal.aborted) {
        act(BigInt(message.params.result.number))
      }
    })
  })
}

async function askNewest(act, signal) {
  try {
    const number = BigInt(await call('eth_blockNumber'))
    if (!signal.aborted) act(number)
  } catch {
    // The subscription tells with the next block.
  }
}

async function poll(act, trouble, signal) {
  let known
  while (!signal.aborted) {
    await pause(POLL_MS, signal)
    // A page that nobody looks at asks nothing.
    if (signal.aborted || document.hidden) continue
    try {
      const number = BigInt(await call('eth_blockNumber'))
      trouble(null)
      if (number !== known && !signal.aborted) act((known = number))
    } catch (error) {
      trouble(error)
    }
  }
}

/** Waits; less when `signal` is aborted. */
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end)
  })
}
