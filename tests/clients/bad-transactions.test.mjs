// Transactions that are none, or that no node may accept. Each gets an error with the code that Ethereum clients
// expect and a text that says what is wrong (geth's words); the node goes on and nothing has changed.

import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { ACCOUNT, SUITE, account, ethers, eventually, isAnvil, rpc } from './lib/env.mjs'
import { CODE, assertError, fingerprint, rejectionsFor, request } from './lib/raw.mjs'

const TX_BYTES_MAX = 128 * 1024
const INITCODE_BYTES_MAX = 49_152 // EIP-3860
const SECP256K1_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const MAX_U256 = 2n ** 256n - 1n

// Places in the signed EIP-1559 payload.
const [NONCE, TIP, TO, ACCESS_LIST, Y_PARITY, R, S] = [1, 2, 5, 8, 9, 10, 11]

const signer = new ethers.Wallet(account(ACCOUNT.badTransactions).privateKey)
const self = signer.address
const rejection = await rejectionsFor(self)
/** anvil answers to some transactions like geth, to others with a code of its own. */
const ANVIL_CODES = [CODE.rejected, -32003]

/** A transaction to oneself that would be valid, with `changes`. */
async function fields(changes) {
  const [chainId, nonce, gasPrice, gas] = await Promise.all([
    rpc('eth_chainId'),
    rpc('eth_getTransactionCount', self, 'latest'),
    rpc('eth_gasPrice'),
    rpc('eth_estimateGas', { from: self, to: self }),
  ])
  const price = BigInt(gasPrice) * 2n
  const isLegacy = changes.type === 0 || changes.type === 1
  const fees = isLegacy ? { gasPrice: price } : { maxFeePerGas: price, maxPriorityFeePerGas: 0n }
  return { type: 2, chainId: BigInt(chainId), nonce: Number(nonce), gasLimit: gas, to: self, ...fees, ...changes }
}

/** The raw bytes of the same, signed. */
async function sign(changes = {}, by = signer) {
  return by.signTransaction(await fields(changes))
}

/** The same with its RLP items changed by `edit` after signing: for what no library encodes. */
async function forge(edit, changes = {}) {
  const raw = await sign(changes)
  const typeBytes = changes.type === 0 ? 0 : 1
  const items = ethers.decodeRlp(ethers.dataSlice(raw, typeBytes))
  return ethers.concat([ethers.dataSlice(raw, 0, typeBytes), ethers.encodeRlp(edit(items))])
}

const replaced = (index, value) => (items) => items.with(index, value)

/** An EIP-1559 transaction whose items are changed by `edit` before signing: for what no library signs. */
async function signItems(edit) {
  const items = edit(ethers.decodeRlp(ethers.dataSlice(await sign(), 1))).slice(0, Y_PARITY)
  const digest = ethers.keccak256(ethers.concat(['0x02', ethers.encodeRlp(items)]))
  const { yParity, r, s } = signer.signingKey.sign(digest)
  const signature = [BigInt(yParity), BigInt(r), BigInt(s)].map((part) => ethers.toBeArray(part))
  return ethers.concat(['0x02', ethers.encodeRlp([...items, ...signature])])
}

/** Sends raw bytes that are valid, and waits until they are mined. */
async function mine(raw) {
  const { result, error } = await request('eth_sendRawTransaction', [raw])
  assert.equal(result, ethers.keccak256(raw), JSON.stringify(error))
  const receipt = await eventually('a receipt', () => rpc('eth_getTransactionReceipt', result))
  assert.equal(receipt.status, '0x1')
}

/** `levels` lists, each the only item of the one before, as hexadecimal digits. */
function nestedLists(levels) {
  let encoded = 'c0'
  for (let i = 1; i < levels; i++) {
    const length = encoded.length / 2
    const size = length.toString(16)
    const digits = size.padStart(size.length + (size.length % 2), '0')
    const head = length < 56 ? (0xc0 + length).toString(16) : (0xf7 + digits.length / 2).toString(16) + digits
    encoded = head + encoded
  }
  return encoded
}

// geth says -32000 for bytes that are no transaction, reth -32602: clients understand both.
const UNDECODABLE = {
  code: [CODE.rejected, CODE.invalidParams],
  message: /decod|rlp|malformed|canonical|too short|trailing|empty|invalid|unexpected|size|length|leading/i,
}
const TRAILING = { ...UNDECODABLE, anvil: 'ignores trailing bytes' }
const rejected = (message, anvil = { code: ANVIL_CODES }) => ({ code: CODE.rejected, message, anvil })

describe('malformed transactions', SUITE, () => {
  const rows = [
    ['no bytes', UNDECODABLE, () => '0x'],
    ['one byte', UNDECODABLE, () => '0x02'],
    ['random bytes', UNDECODABLE, () => '0xdeadbeef'],
    ['a list that is cut off', UNDECODABLE, async () => ethers.dataSlice(await sign(), 0, 60)],
    ['a trailing byte after a typed transaction', TRAILING, async () => `${await sign()}00`],
    ['a trailing byte after a legacy transaction', TRAILING, async () => `${await sign({ type: 0 })}00`],
    ['a field too many', UNDECODABLE, () => forge((items) => [...items, '0x01'])],
    ['a field too few', UNDECODABLE, () => forge((items) => items.slice(0, -1))],
    ['a legacy field too many', UNDECODABLE, () => forge((items) => [...items, '0x01'], { type: 0 })],
    ['a nonce with a leading zero', UNDECODABLE, () => forge(replaced(NONCE, '0x0001'))],
    ['a nonce of 9 bytes', UNDECODABLE, () => forge(replaced(NONCE, '0x010000000000000000'))],
    ['a recipient of 19 bytes', UNDECODABLE, () => forge(replaced(TO, ethers.dataSlice(self, 1)))],
    ['a list in place of a recipient', UNDECODABLE, () => forge(replaced(TO, [self]))],
    ['an access list that is a string', UNDECODABLE, () => forge(replaced(ACCESS_LIST, '0x01'))],
    ['1,000 nested lists', UNDECODABLE, () => `0x02${nestedLists(1_000)}`],
    ['a string longer than the input', UNDECODABLE, () => '0x02f8ffb9ffff'],
    ['a length of 2^64-1', UNDECODABLE, () => '0x02ffffffffffffffffff'],
  ]
  for (const [name, expected, raw] of rows) {
    test(...rejection(name, expected, async (check) => check(await request('eth_sendRawTransaction', [await raw()]))))
  }
})

describe('transactions that are not accepted', SUITE, () => {
  // Gives the account a nonce above 0, so that there is one that is too low.
  before(async () => mine(await sign()))

  const poor = ethers.Wallet.createRandom()
  const blob = { type: 3, maxFeePerBlobGas: 1n, blobVersionedHashes: [`0x01${'00'.repeat(31)}`] }
  const retyped = async (type) => ethers.concat([type, ethers.dataSlice(await sign(), 1)])
  const unknownType = {
    code: [CODE.rejected, CODE.invalidParams],
    message: /type|not supported|unsupported/i,
    anvil: { message: /decode/i },
  }
  const noFunds = rejected(/insufficient funds for gas \* price \+ value/i)
  const tooMuch = rejected(/insufficient funds|overflow/i)
  const lowGas = rejected(/intrinsic gas too low/i)
  const otherChain = /chain ?id|invalid sender/i
  const badSignature = {
    code: [CODE.rejected, CODE.invalidParams],
    message: /signature|invalid sender|v, r, s|decod|rlp|recover/i,
  }
  const otherS = (items) => items
    .with(S, ethers.toBeHex(SECP256K1_N - BigInt(items[S])))
    .with(Y_PARITY, items[Y_PARITY] === '0x' ? '0x01' : '0x')

  const rows = [
    ['type 5', unknownType, () => retyped('0x05')],
    ['type 0x7f', unknownType, () => retyped('0x7f')],
    ['type 0x80, which is no type', UNDECODABLE, () => retyped('0x80')],
    ['a blob transaction', rejected(/blob|type 3|0x03/i, { code: -32003, message: /4844/ }), () => sign(blob)],
    ['another chain id', rejected(otherChain), () => sign({ chainId: 424_242n })],
    [
      'another chain id in a legacy transaction',
      rejected(otherChain, 'does not look at it'),
      () => sign({ type: 0, chainId: 424_242n }),
    ],
    ['a nonce that is used', rejected(/nonce too low/i), () => sign({ nonce: 0 })],
    ['an account without funds', noFunds, () => sign({ nonce: 0 }, poor)],
    ['a value above the balance', noFunds, () => sign({ value: 10n ** 30n })],
    ['a value of 2^256-1, where the sum overflows', tooMuch, () => sign({ value: MAX_U256 })],
    ['a price of 2^128-1', tooMuch, () => sign({ maxFeePerGas: 2n ** 128n - 1n })],
    [
      'a price of 2^256-1',
      // Some decode prices as 128 bits, which nobody can pay either.
      { code: UNDECODABLE.code, message: /insufficient funds|overflow|fee|decod|rlp/i },
      () => sign({ maxFeePerGas: MAX_U256 }),
    ],
    [
      'a gas limit of 2^64-1',
      rejected(/insufficient funds|gas limit|overflow/i, { message: /gas_limit/ }),
      () => sign({ gasLimit: 2n ** 64n - 1n }),
    ],
    ['less gas than the intrinsic gas', lowGas, () => sign({ gasLimit: 20_999n })],
    ['no gas', lowGas, () => sign({ gasLimit: 0n })],
    [
      'less gas than the floor for its data (EIP-7623)',
      rejected(/floor|intrinsic gas too low/i, 'accepts it, and never mines it'),
      () => sign({ data: `0x${'ff'.repeat(1_000)}`, gasLimit: 21_000n + 16n * 1_000n }),
    ],
    [
      'a priority fee above the maximum fee',
      rejected(/max priority fee per gas higher than max fee per gas/i),
      () => signItems(replaced(TIP, ethers.toBeArray(10n ** 15n))),
    ],
    ['a maximum fee below the base fee', rejected(/fee|underpriced/i), () => sign({ maxFeePerGas: 1n })],
    [
      'initialisation code above its limit (EIP-3860)',
      rejected(/init ?code/i),
      () => sign({ to: null, data: `0x${'00'.repeat(INITCODE_BYTES_MAX + 1)}`, gasLimit: 5_000_000n }),
    ],
    [
      'more than 128 KiB',
      rejected(/oversized data|too large|size/i, 'has no limit'),
      () => sign({ data: `0x${'00'.repeat(TX_BYTES_MAX)}`, gasLimit: 5_000_000n }),
    ],
    ['a signature with r = 0', badSignature, () => forge(replaced(R, '0x'))],
    ['a signature with s = 0', badSignature, () => forge(replaced(S, '0x'))],
    ['a signature with r above the group order', badSignature, () => forge(replaced(R, ethers.toBeHex(MAX_U256)))],
    ['a signature with the other s (EIP-2)', { ...badSignature, anvil: 'accepts it' }, () => forge(otherS)],
    ['a y parity of 2', badSignature, () => forge(replaced(Y_PARITY, '0x02'))],
    [
      'a list of authorizations that is empty (EIP-7702)',
      { code: [CODE.rejected, CODE.invalidParams], message: /authori[sz]ation/i, anvil: 'accepts it' },
      () => sign({ type: 4, authorizationList: [] }),
    ],
  ]
  for (const [name, expected, raw] of rows) {
    test(...rejection(name, expected, async (check) => check(await request('eth_sendRawTransaction', [await raw()]))))
  }

  test('the same transaction again', async () => {
    const raw = await sign()
    await mine(raw)
    const start = await fingerprint(self)
    const answer = await request('eth_sendRawTransaction', [raw])
    assertError(answer, (await isAnvil()) ? ANVIL_CODES : CODE.rejected, /nonce too low|already known/i)
    assert.deepEqual(await fingerprint(self), start)
  })
})
