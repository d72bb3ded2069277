// A transaction: what Ethereum knows of it, what it moved, and what it took on Solana.

import { element } from '../dom.js'
import { pause } from '../head.js'
import { outcomeOf } from '../outcome.js'
import { absent, addressLink, blockLink, data, facts, hash, section, table, when } from '../parts.js'
import { grouped, native, units } from '../quantity.js'
import { RpcFailure, call, settle } from '../rpc.js'
import { TRANSFER_HEADINGS, transferCells } from '../transfers.js'
import { moment } from '../words.js'

/** How often is asked whether a waiting transaction landed. */
const LOOK_MS = 1_000
const GWEI_DECIMALS = 9

const TYPES = {
  '0x0': 'legacy',
  '0x1': 'with an access list (EIP-2930)',
  '0x2': 'with a fee market (EIP-1559)',
  '0x4': 'with authorizations (EIP-7702)',
}

export async function transaction([id], signal) {
  const read = await readTransaction(id, signal)
  if (read.found === null) {
    const words = 'This node does not know this transaction: it was not sent here, was dropped, or is too old.'
    return { title: 'Transaction', content: [absent(words)] }
  }
  const content = element('div')
  if (read.receipt) {
    content.append(...(await landed(read, signal)))
  } else {
    content.append(...waiting(read.found))
    showWhenLanded(content, id, signal)
  }
  return { title: 'Transaction', content: [content] }
}

/** The transaction, its receipt and its run in steps; what is not there is null. Other nodes know no runs. */
async function readTransaction(id, signal) {
  const methods = ['eth_getTransactionByHash', 'eth_getTransactionReceipt', 'parhelion_getRun']
  const [found, receipt, run] = await settle(methods.map((method) => [method, id]), signal)
  const failure = [found, receipt].find((outcome) => outcome instanceof RpcFailure)
  if (failure) throw failure
  return { found, receipt, run: run instanceof RpcFailure ? null : run }
}

async function showWhenLanded(content, id, signal) {
  while (!signal.aborted) {
    await pause(LOOK_MS, signal)
    try {
      if (signal.aborted || (await call('eth_getTransactionReceipt', id)) === null) continue
      content.replaceChildren(...(await landed(await readTransaction(id, signal), signal)))
      return
    } catch {
      // The node does not answer: it is asked again until somebody leaves this page.
    }
  }
}

function waiting(found) {
  const status = element('p', { role: 'status' }, 'It waits to be landed. This page changes when it has.')
  return [status, facts(signed(found)), section('Input', data(found.input))]
}

async function landed({ found, receipt, run }, signal) {
  const [block, transfers] = await Promise.all([
    call('eth_getBlockByNumber', receipt.blockNumber, false),
    transferCells(receipt.logs, signal),
  ])
  const parts = [
    facts([...result(receipt, block), ...signed(found, receipt)]),
    transfers.length > 0 && table('Token transfers', TRANSFER_HEADINGS, transfers),
    receipt.solanaSignature && onSolana(receipt, run),
    section('Input', data(found.input)),
    found.accessList?.length > 0 && accessTable(found.accessList),
    found.authorizationList?.length > 0 && authorizationTable(found.authorizationList),
    logTable(receipt.logs),
  ]
  return parts.filter(Boolean)
}

function result(receipt, block) {
  const fee = BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice)
  return [
    ['Outcome', outcomeOf(receipt)],
    ['Block', blockLink(receipt.blockNumber), ` at place ${BigInt(receipt.transactionIndex)}`],
    ['Time', ...(block ? [when(block.timestamp), ` (${moment(block.timestamp)})`] : [null])],
    ['Gas used', grouped(receipt.gasUsed)],
    ['Gas price paid', gwei(receipt.effectiveGasPrice)],
    ['Fee', native(fee)],
  ]
}

/** What the sender signed. */
function signed(found, receipt) {
  const target = found.to ?? receipt?.contractAddress
  return [
    ['Hash', hash(found.hash)],
    ['From', addressLink(found.from, { isFull: true })],
    [found.to === null ? 'Creates' : 'To', target ? addressLink(target, { isFull: true }) : 'a new contract'],
    ['Value', native(found.value)],
    ['Type', `${BigInt(found.type)}, ${TYPES[found.type] ?? 'unknown'}`],
    ['Nonce', `${BigInt(found.nonce)}`],
    ['Gas limit', grouped(found.gas)],
    ['Fee cap', found.maxFeePerGas ? gwei(found.maxFeePerGas) : null],
    ['Priority fee cap', found.maxPriorityFeePerGas ? gwei(found.maxPriorityFeePerGas) : null],
    ['Gas price', found.maxFeePerGas ? null : gwei(found.gasPrice)],
    ['Signature', signature(found)],
  ]
}

function signature({ r, s, v, yParity }) {
  const parity = yParity === undefined ? ['v', `${BigInt(v)}`] : ['y parity', `${BigInt(yParity)}`]
  const values = facts([['r', hash(r)], ['s', hash(s)], parity])
  return element('details', {}, element('summary', {}, 'r, s and ', parity[0]), values)
}

/** What it took on Solana; receipts of other nodes do not tell. */
function onSolana(receipt, run) {
  const rentFee = BigInt(receipt.rentGas) * BigInt(receipt.effectiveGasPrice)
  const signatures = receipt.solanaSignatures.map((one) => element('li', { class: 'hash' }, one))
  const [own, all] = [receipt.computeUnits, receipt.totalComputeUnits].map(grouped)
  return section('On Solana', facts([
    ['Executed by', hash(receipt.solanaSignature)],
    ['Transactions', element('ol', { class: 'signatures' }, signatures)],
    ['Compute units', `${own} of the transaction that executed it, ${all} in all`],
    ['Rent gas', `${grouped(receipt.rentGas)}, which paid ${native(rentFee)} for room of new state`],
    ['Outcome', receipt.outcome],
    ['Steps', run ? stepsOf(run) : 'none: it ran at once, or before this node started'],
  ]))
}

function stepsOf({ steps, restarts, computeUnitsAtOnce }) {
  const anew = restarts > 0 ? `, begun anew ${restarts} times` : ''
  const atOnce = computeUnitsAtOnce && `; at once it would take ${grouped(computeUnitsAtOnce)} compute units`
  return `${steps}${anew}${atOnce ?? ''}`
}

function accessTable(list) {
  const rows = list.map(({ address, storageKeys }) => [addressLink(address), hashList(storageKeys)])
  return table('Access list', ['Address', 'Storage keys'], rows)
}

function authorizationTable(list) {
  const rows = list.map(({ address, nonce, chainId }) =>
    [addressLink(address), `${BigInt(nonce)}`, `${BigInt(chainId)}`])
  return table('Authorizations', ['Delegates to', 'Nonce', 'Chain id'], rows)
}

function logTable(logs) {
  const rows = logs.map((log) =>
    [`${BigInt(log.logIndex)}`, addressLink(log.address), hashList(log.topics), data(log.data)])
  return table(`Logs (${logs.length})`, ['Index', 'Contract', 'Topics', 'Data'], rows, 'It logged nothing.')
}

const hashList = (hashes) =>
  element('ol', { class: 'hashes', start: '0' }, hashes.map((one) => element('li', { class: 'hash' }, one)))

const gwei = (wei) => `${units(wei, GWEI_DECIMALS)} gwei (${grouped(wei)} wei)`
