// An address: what it has, what it is, its transactions and its token transfers as far as they are found.

import { topicOfAddress } from '../abi.js'
import { newestNumber, searchLogs, searchTransactions, withCreations } from '../chain.js'
import { element } from '../dom.js'
import { hasFaucet } from '../faucet.js'
import { Findings } from '../findings.js'
import { TRANSACTION_HEADINGS, addressLink, data, facts, hash, transactionCells } from '../parts.js'
import { native } from '../quantity.js'
import { callAll } from '../rpc.js'
import { describeTokens, isToken } from '../tokens.js'
import { PLACED_HEADINGS, TRANSFER, placedCells } from '../transfers.js'

/** How many transactions or transfers a search looks for. */
const ROWS = 25
/** An account that delegates to a contract has this and the contract's address as its code (EIP-7702). */
const DELEGATION = '0xef0100'
const DELEGATION_LENGTH = DELEGATION.length + 40

export async function address([given], signal) {
  const address = given.toLowerCase()
  const newest = await newestNumber()
  const methods = ['eth_getBalance', 'eth_getTransactionCount', 'eth_getCode']
  const [balance, nonce, code] = await callAll(methods.map((method) => [method, address, 'latest']), signal)
  const token = code === '0x' ? null : await tokenAt(address, signal)
  const transactions = new Findings(newest, (from) => findTransactions(address, from, signal))
  const transfers = new Findings(newest, (from) => findTransfers(address, from, signal))
  const [canGet] = await Promise.all([hasFaucet(), transactions.more(), transfers.more()])
  const [title, ...kind] = kindOf(code, token)
  return {
    title,
    content: [
      facts([
        ['Address', hash(address)],
        ['Kind', ...kind],
        ['Balance', native(balance)],
        ['Nonce', `${BigInt(nonce)}`],
        ['Token', token && link(`/token/${address}`, token.name ?? token.symbol ?? 'without a name')],
        ['Code', code === '0x' ? null : data(code)],
        ['Faucet', canGet ? link(`/faucet?address=${address}`, 'Get some SOL for it') : null],
      ]),
      transactions.content('Transactions', TRANSACTION_HEADINGS),
      transfers.content('Token transfers', PLACED_HEADINGS),
    ],
  }
}

const link = (path, text) => element('a', { href: `/explorer${path}` }, text)

/** What the token at an address says of itself; null if there is none. */
async function tokenAt(address, signal) {
  const described = (await describeTokens([address], signal)).get(address)
  return isToken(described) ? described : null
}

/** A title for what is at an address, and words about it. */
function kindOf(code, token) {
  if (code === '0x') return ['Account', 'an account of a key, or nothing yet: it has no code']
  if (code.startsWith(DELEGATION) && code.length === DELEGATION_LENGTH) {
    const target = addressLink(`0x${code.slice(DELEGATION.length)}`, { isFull: true })
    return ['Account with delegation', 'an account of a key that runs the code of ', target, ' (EIP-7702)']
  }
  return token ? ['Token contract', 'a contract that is a token'] : ['Contract', 'a contract']
}

async function findTransactions(address, from, signal) {
  const isIts = (one) => [one.from, one.to, one.creates].includes(address)
  const choose = async (some) => (await withCreations(some, signal)).filter(isIts)
  const { transactions, next } = await searchTransactions({ from, wanted: ROWS, choose }, signal)
  return { rows: transactions.map(transactionCells), next }
}

async function findTransfers(address, from, signal) {
  const topic = topicOfAddress(address)
  const filters = [{ topics: [TRANSFER, topic] }, { topics: [TRANSFER, null, topic] }]
  const { logs, next } = await searchLogs(filters, from, ROWS, signal)
  return { rows: await placedCells(logs, signal), next }
}
