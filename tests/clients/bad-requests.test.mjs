// Requests that no correct client sends. Each gets an error with the code that Ethereum clients expect and a text
// that says what is wrong; the node goes on and nothing has changed.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ACCOUNT, SUITE, account, artifact, ethers, isAnvil, rpc } from './lib/env.mjs'
import { CODE, assertError, post, rejectionsFor, request } from './lib/raw.mjs'

const HUGE_BODY_BYTES = 64 * 1024 * 1024
const HUGE_BATCH = 20_000

const anvil = await isAnvil()
const self = account(ACCOUNT.badRequests).address
const rejection = await rejectionsFor(self)

describe('JSON-RPC framing', SUITE, () => {
  const invalid = { code: CODE.invalidRequest, message: /invalid|request/i }
  // anvil calls everything an invalid request.
  const unparsable = { code: CODE.parseError, message: /pars|invalid|json/i, anvil: { code: CODE.invalidRequest } }
  const either = { ...unparsable, code: [CODE.parseError, CODE.invalidRequest] }
  const rows = [
    ['text', unparsable, 'hello'],
    ['JSON that is cut off', unparsable, '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"'],
    ['a stray byte', unparsable, '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}\u0000}'],
    ['nothing', either, ''],
    ['invalid UTF-8', unparsable, Buffer.from('7b22ff22', 'hex')],
    ['100,000 nested arrays', either, '['.repeat(100_000)],
    ['an empty batch', invalid, '[]'],
    ['an object without anything', invalid, '{}'],
    ['a number', either, '5'],
    ['no method', invalid, '{"jsonrpc":"2.0","id":1,"params":[]}'],
    ['a method that is a number', invalid, '{"jsonrpc":"2.0","id":1,"method":5,"params":[]}'],
    [
      'parameters that are a text',
      { ...either, code: [...either.code, CODE.invalidParams], message: /pars|invalid|param/i },
      '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":"x"}',
    ],
  ]
  for (const [name, expected, body] of rows) {
    test(...rejection(name, expected, async (check) => {
      const { json, status, text } = await post(body)
      assert.ok(json, `HTTP ${status}: ${text.slice(0, 200)}`)
      check(json)
    }))
  }

  test('unknown methods', async () => {
    for (const method of ['eth_unknown', 'foo', '', 'eth_chainid', 'x'.repeat(10_000)]) {
      assertError(await request(method, []), CODE.unknownMethod, /method/i)
    }
  })

  test('a GET request and another content type are refused over HTTP', async (t) => {
    if (anvil) return t.skip('anvil answers them')
    const get = await post(undefined, { method: 'GET' })
    assert.ok(get.status >= 400 && get.status < 500, `HTTP ${get.status}`)
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] })
    const plain = await post(body, { contentType: 'text/plain' })
    assert.ok(plain.status >= 400 && plain.status < 500, `HTTP ${plain.status}`)
  })

  test('a huge body is refused, and the node goes on', async () => {
    const huge = `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":["${'0'.repeat(HUGE_BODY_BYTES)}"]}`
    // A server may also close the connection before it has read everything.
    const answer = await post(huge).catch((error) => error)
    if (!(answer instanceof Error)) assert.ok(answer.status >= 400 || answer.json?.error, `HTTP ${answer.status}`)
    assert.ok(await rpc('eth_chainId'))
  })
})

describe('batches', SUITE, () => {
  const call = (id, method, params = []) => ({ jsonrpc: '2.0', id, method, params })

  test('each entry gets its own answer', async () => {
    const { json } = await post(JSON.stringify([
      call(1, 'eth_chainId'),
      call(2, 'eth_unknown'),
      call('three', 'eth_getBalance', ['0x12', 'latest']),
      call(4, 'eth_sendRawTransaction', ['0xdeadbeef']),
      call(5, 'eth_blockNumber'),
    ]))
    const byId = new Map(json.map((answer) => [answer.id, answer]))
    assert.equal(byId.size, 5)
    assert.equal(byId.get(1).result, await rpc('eth_chainId'))
    assertError(byId.get(2), CODE.unknownMethod, /method/i)
    assertError(byId.get('three'), CODE.invalidParams, /invalid|expected|length/i)
    assertError(byId.get(4), [CODE.rejected, CODE.invalidParams], /decod|rlp|invalid|malformed|length|size/i)
    assert.match(byId.get(5).result, /^0x/)
  })

  test('entries that are no requests', async () => {
    const { json } = await post('[1,{"foo":2}]')
    for (const answer of [json].flat()) assertError(answer, CODE.invalidRequest, /invalid|request/i)
  })

  test('a huge batch is refused, and the node goes on', async (t) => {
    if (anvil) return t.skip('anvil has no limit')
    const batch = Array.from({ length: HUGE_BATCH }, (_, i) => call(i, 'eth_chainId'))
    const { json, status, text } = await post(JSON.stringify(batch))
    assert.ok(status >= 400 || [json].flat()[0].error, `no limit on batches: ${text.slice(0, 200)}`)
    assert.ok(await rpc('eth_chainId'))
  })
})

describe('parameters', SUITE, () => {
  const hash = ethers.ZeroHash
  const manyAddresses = Array.from({ length: 5_000 }, (_, i) => ethers.toBeHex(i, 20))
  const bad = {
    code: CODE.invalidParams,
    message: /invalid|missing|expected|exceed|too (many|few|large|long)|argument|param|prefix|hex|empty|match/i,
  }
  const lenient = { ...bad, code: [CODE.invalidParams, CODE.rejected] }
  const rows = [
    ['no parameters', bad, 'eth_getBalance', []],
    ['an address of 19 bytes', bad, 'eth_getBalance', [`0x${'11'.repeat(19)}`, 'latest']],
    ['an address of 21 bytes', bad, 'eth_getBalance', [`0x${'11'.repeat(21)}`, 'latest']],
    ['an address with a letter that is no digit', bad, 'eth_getBalance', [`0x${'1g'.repeat(20)}`, 'latest']],
    ['an address that is a number', bad, 'eth_getBalance', [5, 'latest']],
    ['an address that is null', bad, 'eth_getBalance', [null, 'latest']],
    ['a parameter too many', bad, 'eth_getBalance', [self, 'latest', 'more']],
    ['a parameter for a method without any', bad, 'eth_chainId', [1]],
    ['an unknown block tag', bad, 'eth_getBalance', [self, 'latestt']],
    ['a decimal block number', bad, 'eth_getBalance', [self, '12']],
    ['a negative block number', bad, 'eth_getBlockByNumber', ['-0x1', false]],
    ['a block number of 2^72', bad, 'eth_getBlockByNumber', [`0x1${'0'.repeat(18)}`, false]],
    ['a block number of 1,000 digits', bad, 'eth_getBlockByNumber', [`0x${'f'.repeat(1_000)}`, false]],
    ['a block number that is 0x', bad, 'eth_getBlockByNumber', ['0x', false]],
    ['a flag that is a text', bad, 'eth_getBlockByNumber', ['latest', 'yes']],
    ['a block hash of 31 bytes', bad, 'eth_getBlockByHash', [ethers.dataSlice(hash, 1), false]],
    ['a transaction hash of 33 bytes', bad, 'eth_getTransactionByHash', [`${hash}00`]],
    ['a receipt without a hash', bad, 'eth_getTransactionReceipt', []],
    ['a storage key of 33 bytes', bad, 'eth_getStorageAt', [self, `0x${'11'.repeat(33)}`, 'latest']],
    ['a call that is a text', bad, 'eth_call', ['0x', 'latest']],
    ['a call without parameters', bad, 'eth_call', []],
    ['a call with an invalid recipient', bad, 'eth_call', [{ to: '0x12' }, 'latest']],
    ['a call with a value of 33 bytes', bad, 'eth_call', [{ to: self, value: `0x1${'0'.repeat(64)}` }, 'latest']],
    ['a call with data of odd length', bad, 'eth_call', [{ to: self, data: '0x123' }, 'latest']],
    ['an estimate with data that is a number', bad, 'eth_estimateGas', [{ to: self, data: 5 }]],
    ['raw bytes that are no digits', bad, 'eth_sendRawTransaction', ['0xzz']],
    // Some take the digits without their prefix; these are no transaction then.
    ['raw bytes without 0x', { ...lenient, message: /decod|rlp|prefix|inv/i }, 'eth_sendRawTransaction', ['deadbeef']],
    ['raw bytes of odd length', bad, 'eth_sendRawTransaction', ['0x123']],
    ['raw bytes that are a number', bad, 'eth_sendRawTransaction', [5]],
    ['raw bytes that are null', bad, 'eth_sendRawTransaction', [null]],
    ['no raw bytes', bad, 'eth_sendRawTransaction', []],
    ['a log filter that is a text', bad, 'eth_getLogs', ['all']],
    ['a log filter with five topics', bad, 'eth_getLogs', [{ topics: Array(5).fill(hash) }]],
    ['a log filter with a topic of 31 bytes', bad, 'eth_getLogs', [{ topics: [ethers.dataSlice(hash, 1)] }]],
    [
      'a log filter with a range and a block hash',
      { ...bad, message: /blockHash|range|both/i },
      'eth_getLogs',
      [{ blockHash: hash, fromBlock: '0x0' }],
    ],
    [
      'a log filter with 5,000 addresses',
      { ...lenient, anvil: 'has no limit' },
      'eth_getLogs',
      [{ address: manyAddresses }],
    ],
    [
      'a log filter whose range is reversed',
      { ...lenient, message: /range|block/i, anvil: 'finds nothing in it' },
      'eth_getLogs',
      [{ fromBlock: '0x5', toBlock: '0x1' }],
    ],
    ['a fee history without parameters', bad, 'eth_feeHistory', []],
    ['a fee history of a negative count', bad, 'eth_feeHistory', ['-0x1', 'latest', []]],
    [
      'a fee history with percentiles that go down',
      { ...lenient, message: /percentile/i, anvil: 'accepts them' },
      'eth_feeHistory',
      ['0x1', 'latest', [50, 10]],
    ],
    [
      'a fee history with a percentile above 100',
      { ...lenient, message: /percentile/i, anvil: 'accepts it' },
      'eth_feeHistory',
      ['0x1', 'latest', [101]],
    ],
    [
      'a call with both kinds of price',
      { ...lenient, message: /gasPrice|fee/i, anvil: 'accepts them' },
      'eth_call',
      [{ from: self, to: self, gasPrice: '0x77359400', maxFeePerGas: '0x77359400' }, 'latest'],
    ],
    [
      'a call whose input and data differ',
      { ...lenient, message: /input|data/i, anvil: 'takes the input' },
      'eth_call',
      [{ to: self, data: '0x01', input: '0x02' }, 'latest'],
    ],
  ]
  for (const [name, expected, method, params] of rows) {
    test(...rejection(name, expected, async (check) => check(await request(method, params))))
  }
})

describe('blocks that are not there', SUITE, () => {
  const farNumbers = ['0xfffffff', '0x7fffffffffffffff']
  const unknown = {
    code: [CODE.rejected, CODE.notFound, CODE.invalidParams],
    message: /header|block|not found|unknown|future|range/i,
  }

  test('a block of the far future, or of an unknown hash, is null', async () => {
    for (const number of farNumbers) {
      assert.equal((await request('eth_getBlockByNumber', [number, false])).result, null)
    }
    assert.equal((await request('eth_getBlockByHash', [ethers.ZeroHash, true])).result, null)
  })

  for (const number of [...farNumbers, '0xffffffffffffffff']) {
    test(...rejection(`state at block ${number}`, unknown, async (check) => {
      check(await request('eth_getBalance', [self, number]))
      check(await request('eth_call', [{ to: self }, number]))
    }))
  }

  test(...rejection('logs of an unknown block hash', unknown, async (check) => {
    check(await request('eth_getLogs', [{ blockHash: ethers.id('no such block') }]))
  }))

  test('logs over an absurd range end at once', async () => {
    // Either an error that names the range, or the few logs there are; never a loop over 2^63 blocks.
    const filter = { fromBlock: '0x0', toBlock: '0x7fffffffffffffff', address: ethers.id('x').slice(0, 42) }
    const { result, error } = await request('eth_getLogs', [filter])
    if (error) assert.match(error.message, /range|block/i)
    else assert.deepEqual(result, [])
  })
})

describe('calls that fail', SUITE, () => {
  const { bytecode } = artifact('Counter')
  const deployment = ethers.concat([bytecode, ethers.toBeHex(1, 32)])
  const tooMuch = { from: self, to: self, value: ethers.toBeHex(10n ** 40n) }
  /** anvil gives the failures of the EVM the code of an internal error. */
  const halted = (message) => ({ code: CODE.rejected, message, anvil: { code: [CODE.rejected, -32003, -32603] } })
  const rows = [
    [
      'more value than there is',
      { code: CODE.rejected, message: /insufficient (funds|balance)/i, anvil: 'estimates it' },
      tooMuch,
    ],
    ['an invalid opcode (EIP-141)', halted(/opcode/i), { from: self, data: '0xfe' }],
    ['a jump to no JUMPDEST', halted(/jump/i), { from: self, data: '0x5f56' }],
    ['a POP from an empty stack', halted(/stack/i), { from: self, data: '0x50' }],
    ['too little gas', halted(/gas/i), { from: self, gas: ethers.toQuantity(100_000), data: deployment }],
    // JUMPDEST PUSH0 JUMP; the estimate ends as well. Where the limit is another one than gas, it says so.
    ['an endless loop', halted(/gas|not supported|limit/i), { from: self, data: '0x5b5f56' }],
  ]
  for (const [name, expected, call] of rows) {
    test(...rejection(name, expected, async (check) => {
      check(await request('eth_call', [call, 'latest']))
      check(await request('eth_estimateGas', [call]))
    }))
  }

  test('a revert has code 3 and its data', async () => {
    // PUSH1 2a PUSH0 MSTORE PUSH1 20 PUSH0 REVERT
    for (const method of ['eth_call', 'eth_estimateGas']) {
      const answer = await request(method, [{ from: self, data: '0x602a5f5260205ffd' }])
      assertError(answer, CODE.reverted, /^execution reverted/)
      assert.equal(answer.error.data, ethers.toBeHex(42, 32))
    }
  })
})
