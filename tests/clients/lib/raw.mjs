// Raw HTTP to the node: bodies that no client would send.

import assert from 'node:assert/strict'
import { EXCLUSIVE, RPC_URL, isAnvil, rpc } from './env.mjs'

/** The error codes of JSON-RPC 2.0, and geth's for what it does not accept or cannot execute. */
export const CODE = {
  parseError: -32700,
  invalidRequest: -32600,
  unknownMethod: -32601,
  invalidParams: -32602,
  rejected: -32000,
  notFound: -32001,
  reverted: 3,
}

const ANSWER_LIMIT_MS = 30_000

/** Posts `body` as it is; returns `{ status, text, json }` (`json` undefined where the answer is none). */
export async function post(body, { contentType = 'application/json', method = 'POST' } = {}) {
  const headers = { 'content-type': contentType }
  const signal = AbortSignal.timeout(ANSWER_LIMIT_MS)
  const response = await fetch(RPC_URL, { method, headers, body, signal })
  const text = await response.text()
  let json
  try {
    json = JSON.parse(text)
  } catch {
    // not JSON: the caller looks at the status
  }
  return { status: response.status, text, json }
}

/** The whole answer to one request: `{ result }` or `{ error }`. */
export async function request(method, params, id = 7) {
  const { json, text } = await post(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
  assert.ok(json, `${method}: the answer is not JSON: ${text.slice(0, 200)}`)
  return json
}

/**
 * Checks an error answer: its code is (one of) `code`, and its message or data says what `message` asks for.
 */
export function assertError(answer, code, message) {
  const shown = JSON.stringify(answer)?.slice(0, 500)
  assert.ok(answer?.error, `expected an error, got ${shown}`)
  assert.equal(answer.result, undefined, 'an error comes without a result')
  assert.equal(answer.jsonrpc, '2.0')
  assert.ok([code].flat().includes(answer.error.code), `expected code ${code}: ${shown}`)
  assert.equal(typeof answer.error.message, 'string')
  assert.match(`${answer.error.message} ${JSON.stringify(answer.error.data ?? '')}`, message)
}

/** What a request that gets an error must leave as it was. */
export async function fingerprint(address) {
  const [latest, pending, balance, block] = await Promise.all([
    rpc('eth_getTransactionCount', address, 'latest'),
    rpc('eth_getTransactionCount', address, 'pending'),
    rpc('eth_getBalance', address, 'latest'),
    rpc('eth_blockNumber'),
  ])
  // On a shared node others may be mining.
  return { latest, pending, balance, block: EXCLUSIVE ? block : undefined }
}

/**
 * Makes the function that writes the arguments of `test`: `act` gets an error, and nothing of `address` and the
 * chain changes. `expected` is `{ code, message, anvil }`, where `anvil` replaces parts of it on anvil, or is a
 * text that says why anvil is not asked.
 */
export async function rejectionsFor(address) {
  const onAnvil = await isAnvil()
  return function rejection(name, expected, act) {
    const { anvil } = expected
    const skip = onAnvil && typeof anvil === 'string' && `anvil ${anvil}`
    const check = async () => {
      const start = await fingerprint(address)
      const { code, message } = onAnvil ? { ...expected, ...anvil } : expected
      await act((answer) => assertError(answer, code, message))
      assert.deepEqual(await fingerprint(address), start)
    }
    return [name, { skip }, check]
  }
}
