// Tests of counting at a cluster, with a server that answers like one.

import assert from 'node:assert/strict'
import http from 'node:http'
import { after, before, test } from 'node:test'
import { Operator } from './lib/operator.mjs'

const ADDRESS = 'Operator1111111111111111111111111111111111'
/** Oldest first: the signature `sN` took 100 + N compute units. */
let landed = []
let server
let operator

const ANSWERS = {
  getSignaturesForAddress([address, { limit, until, before }]) {
    assert.equal(address, ADDRESS)
    const newest = [...landed].reverse()
    const from = before ? newest.indexOf(before) + 1 : 0
    const to = until ? newest.indexOf(until) : newest.length
    return newest.slice(from, Math.min(to, from + limit)).map((signature) => ({ signature }))
  },
  getTransaction([signature, { maxSupportedTransactionVersion }]) {
    assert.equal(maxSupportedTransactionVersion, 1)
    return { meta: { computeUnitsConsumed: 100 + Number(signature.slice(1)) } }
  },
}

before(async () => {
  server = http.createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    const { id, method, params } = JSON.parse(body)
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: ANSWERS[method](params) }))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  operator = new Operator(`http://127.0.0.1:${server.address().port}`, ADDRESS)
})
after(() => server.close())

const signatures = (from, to) => Array.from({ length: to - from }, (_, i) => `s${from + i}`)

test('an operator without transactions has no mark', async () => {
  landed = []
  assert.equal(await operator.mark(), undefined)
})

test('everything since the mark counts, and nothing before it', async () => {
  landed = signatures(0, 5)
  const mark = await operator.mark()
  landed.push('s5', 's6', 's7')
  assert.deepEqual(await operator.since(mark, 's7'), { transactions: 3, computeUnits: 318 })
})

test('a transaction that is confirmed after its receipt is waited for', async () => {
  landed = signatures(0, 2)
  const mark = await operator.mark()
  setTimeout(() => landed.push('s2', 's3'), 300)
  assert.deepEqual(await operator.since(mark, 's3'), { transactions: 2, computeUnits: 205 })
})

test('more than a page', async () => {
  landed = signatures(0, 1)
  const mark = await operator.mark()
  landed = signatures(0, 1_501)
  assert.equal((await operator.since(mark, 's1500')).transactions, 1_500)
})
