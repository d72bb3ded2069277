// What tokens say of themselves. It is what their authors wrote, nothing else.

import { SELECTOR, decodeText, decodeUint, encodeCall } from './abi.js'
import { RpcFailure, settle } from './rpc.js'
import { toHex } from './quantity.js'
import { plain } from './words.js'

/** Gas of a question: enough for any honest answer. */
const QUESTION_GAS = 1_000_000n
/** Decimals are one byte. */
const DECIMALS_MAX = 255n

const ask = (token, data) => ['eth_call', { to: token, data, gas: toHex(QUESTION_GAS) }, 'latest']
const answered = (outcome, decode) => (outcome instanceof RpcFailure ? null : decode(outcome))

/** Name, symbol and decimals of each address, by address: null for what it does not say. */
export async function describeTokens(addresses, signal) {
  const tokens = [...new Set(addresses)]
  const questions = [SELECTOR.name, SELECTOR.symbol, SELECTOR.decimals]
  const outcomes = await settle(tokens.flatMap((token) => questions.map((data) => ask(token, data))), signal)
  const describe = ([name, symbol, decimals]) => ({
    name: text(answered(name, decodeText)),
    symbol: text(answered(symbol, decodeText)),
    decimals: small(answered(decimals, decodeUint)),
  })
  return new Map(tokens.map((token, index) => [token, describe(outcomes.slice(index * questions.length))]))
}

/** The total supply, and the balance of `holder` if one is given; null where there is no answer. */
export async function amountsOf(token, holder, signal) {
  const questions = [ask(token, SELECTOR.totalSupply)]
  if (holder) questions.push(ask(token, encodeCall(SELECTOR.balanceOf, holder)))
  const [supply, balance] = await settle(questions, signal)
  return { supply: answered(supply, decodeUint), balance: holder ? answered(balance, decodeUint) : null }
}

/** Whether something behaves as a token: it has a name, a symbol or decimals. */
export const isToken = ({ name, symbol, decimals }) => name !== null || symbol !== null || decimals !== null

function text(value) {
  const shown = value === null ? '' : plain(value)
  return shown === '' ? null : shown
}

const small = (value) => (value !== null && value <= DECIMALS_MAX ? Number(value) : null)
