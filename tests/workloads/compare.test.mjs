// Tests of the comparison itself: each deliberate change of what a node did must be noticed.
//   node --test tests/workloads/compare.test.mjs

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare } from './lib/compare.mjs'
import { line } from './lib/report.mjs'

const ADDRESS = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const log = { address: ADDRESS, topics: ['0x01', '0x02'], data: '0xabcd' }
const transaction = {
  kind: 'transaction',
  name: 'transfer',
  expected: 1,
  status: 1,
  gas: 51_543n,
  rentGas: 0n,
  logs: [log, log],
  bloom: '0x10',
  created: null,
  type: 2,
  from: ADDRESS,
  to: ADDRESS,
  ms: 7,
  solana: {},
}
const value = { kind: 'value', name: 'balanceOf', value: ['1000'] }

/** The only entry of comparing `ours` with `theirs`. */
function one(theirs, ours, ended) {
  const entries = compare([theirs], ours ? [ours] : [], ended)
  assert.equal(entries.length, 1)
  return entries[0]
}

test('equal calls pass, whatever rent, time and the spelling of addresses', () => {
  const ours = {
    ...transaction,
    rentGas: 9n,
    ms: 900,
    from: ADDRESS.toLowerCase(),
    solana: { transactions: 3 },
  }
  assert.deepEqual([one(transaction, ours).verdict, one(transaction, ours).details], ['passed', []])
  assert.equal(one(value, { ...value }).verdict, 'passed')
})

const MUTATIONS = {
  status: { status: 0 },
  'one gas more': { gas: 51_544n },
  'one gas less': { gas: 51_542n },
  'created contract': { created: ADDRESS },
  type: { type: 0 },
  sender: { from: '0x01' },
  receiver: { to: null },
  bloom: { bloom: '0x11' },
  'a log less': { logs: [log] },
  'a log more': { logs: [log, log, log] },
  'address of a log': { logs: [log, { ...log, address: '0x01' }] },
  'topic of a log': { logs: [{ ...log, topics: ['0x01', '0x03'] }, log] },
  'number of topics': { logs: [{ ...log, topics: ['0x01'] }, log] },
  'data of a log': { logs: [log, { ...log, data: '0xabce' }] },
}
for (const [name, mutation] of Object.entries(MUTATIONS)) {
  test(`noticed: ${name}`, () => {
    const { verdict, details } = one(transaction, { ...transaction, ...mutation })
    assert.equal(verdict, 'failed')
    assert.equal(details.length, 1)
  })
}

test('noticed: the order of logs', () => {
  const other = { ...log, data: '0x' }
  const [theirs, ours] = [
    { ...transaction, logs: [log, other] },
    { ...transaction, logs: [other, log] },
  ]
  assert.equal(one(theirs, ours).verdict, 'failed')
})

test('noticed: another value, and a revert in its place', () => {
  assert.equal(one(value, { ...value, value: ['1001'] }).verdict, 'failed')
  assert.equal(one(value, { ...value, value: { reverted: '0x' } }).verdict, 'failed')
})

test('the difference of gas is told exactly', () => {
  const entry = one(transaction, { ...transaction, gas: 51_544n })
  assert.deepEqual(entry.details, ['gas 51544, expected 51543 (+1)'])
  assert.match(line('erc20', entry), /^FAIL erc20: transfer: gas 51544, expected 51543 \(\+1\)/)
})

test('a refused call fails with the words of the node', () => {
  const entry = one(transaction, { kind: 'transaction', name: 'transfer', error: 'the transaction is too large for Solana: ...' })
  assert.deepEqual([entry.verdict, entry.details], ['failed', ['the transaction is too large for Solana: ...']])
})

test('what did not run is skipped, with the reason', () => {
  const skipped = one(transaction, { kind: 'transaction', name: 'transfer', skipped: '"deploy" failed' })
  assert.deepEqual([skipped.verdict, skipped.details], ['skipped', ['"deploy" failed']])
  const unreached = one(transaction, undefined, 'it ended early')
  assert.deepEqual([unreached.verdict, unreached.details], ['skipped', ['it ended early']])
})

test('a workload that does not work on the reference fails', () => {
  const broken = { ...transaction, status: 0 }
  assert.equal(one(broken, broken).verdict, 'failed')
  const refused = { kind: 'transaction', name: 'transfer', error: 'out of order' }
  assert.equal(one(refused, transaction).verdict, 'failed')
})

test('a call that the reference does not have fails', () => {
  assert.equal(compare([], [transaction])[0].verdict, 'failed')
})

test('only the first failure stands for itself', () => {
  const names = ['a', 'b', 'c']
  const theirs = names.map((name) => ({ ...transaction, name }))
  const ours = names.map((name) => ({ ...transaction, name, gas: name === 'a' ? transaction.gas : 1n }))
  const [, second, third] = compare(theirs, ours).map(({ details }) => details)
  assert.equal(second.length, 1)
  assert.equal(third.at(-1), 'after a failed call')
})
