// The methods themselves, without a client that smooths things over: formats, and that answers agree.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { ACCOUNT, BINARY, RPC_URL, SUITE, account, artifact, ethers, freshAddress, rpc } from './lib/env.mjs'
import { post } from './lib/raw.mjs'

const QUANTITY = /^0x(0|[1-9a-f][0-9a-f]*)$/ // no leading zeros
const data = (bytes) => new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`)
const [ADDRESS, HASH, BLOOM, BYTES] = [data(20), data(32), data(256), /^0x([0-9a-f]{2})*$/]

const provider = new ethers.JsonRpcProvider(RPC_URL, undefined, { cacheTimeout: -1, pollingInterval: 100 })
const wallet = new ethers.Wallet(account(ACCOUNT.rpc).privateKey, provider)
const self = wallet.address.toLowerCase()

after(() => provider.destroy())

function assertShape(value, shape) {
  for (const [name, format] of Object.entries(shape)) assert.match(String(value[name]), format, name)
}

describe('the node and its chain', SUITE, () => {
  test('web3_clientVersion, net_version, eth_chainId', async () => {
    assert.match(await rpc('web3_clientVersion'), /^[^/]+\/.+/)
    const chainId = await rpc('eth_chainId')
    assert.match(chainId, QUANTITY)
    assert.equal(await rpc('net_version'), `${BigInt(chainId)}`)
  })

  test('eth_blockNumber, eth_gasPrice, eth_maxPriorityFeePerGas', async () => {
    for (const method of ['eth_blockNumber', 'eth_gasPrice', 'eth_maxPriorityFeePerGas']) {
      assert.match(await rpc(method), QUANTITY, method)
    }
  })

  test('eth_syncing and eth_accounts', async () => {
    assert.equal(await rpc('eth_syncing'), false)
    for (const address of await rpc('eth_accounts')) assert.match(address, /^0x[0-9a-fA-F]{40}$/)
  })

  test('a request without params, and ids that come back as they went', async () => {
    for (const id of ['"text"', '0', '9007199254740991', 'null']) {
      const { json } = await post(`{"jsonrpc":"2.0","id":${id},"method":"eth_chainId"}`)
      assert.equal(json.jsonrpc, '2.0')
      assert.equal(JSON.stringify(json.id), id)
      assert.match(json.result, QUANTITY)
    }
  })
})

// There is a block for each transaction, and none besides: whoever waits for the next block to look for a receipt would
// wait for ever if it was made before the first look.
describe('a development chain', { ...SUITE, skip: BINARY ? false : 'not of other chains' }, () => {
  const sign = async (nonce) => {
    const request = await wallet.populateTransaction({ to: freshAddress(), value: 1n, nonce })
    return wallet.signTransaction(request)
  }

  test('answers when a transaction has landed', async () => {
    for (let i = 0; i < 5; i += 1) {
      const hash = await rpc('eth_sendRawTransaction', await sign())
      assert.equal((await rpc('eth_getTransactionReceipt', hash))?.status, '0x1')
    }
  })

  test('answers at once when a nonce before is missing', async () => {
    const nonce = await wallet.getNonce()
    const later = await rpc('eth_sendRawTransaction', await sign(nonce + 1))
    assert.equal(await rpc('eth_getTransactionReceipt', later), null)
    await rpc('eth_sendRawTransaction', await sign(nonce))
    while ((await rpc('eth_getTransactionReceipt', later)) === null) await setTimeout(20)
  })
})

describe('after an ERC-20 transfer', SUITE, () => {
  let token, hash, tx, receipt, block
  const to = freshAddress().toLowerCase()

  before(async () => {
    const { abi, bytecode } = artifact('Token')
    token = await (await new ethers.ContractFactory(abi, bytecode, wallet).deploy(1_000n)).waitForDeployment()
    const sent = await token.transfer(to, 10n)
    await sent.wait()
    hash = sent.hash
    tx = await rpc('eth_getTransactionByHash', hash)
    receipt = await rpc('eth_getTransactionReceipt', hash)
    block = await rpc('eth_getBlockByNumber', receipt.blockNumber, false)
  })

  test('the transaction', () => {
    assertShape(tx, {
      hash: HASH, blockHash: HASH, blockNumber: QUANTITY, transactionIndex: QUANTITY, from: ADDRESS, to: ADDRESS,
      nonce: QUANTITY, gas: QUANTITY, gasPrice: QUANTITY, maxFeePerGas: QUANTITY, maxPriorityFeePerGas: QUANTITY,
      value: QUANTITY, input: BYTES, type: /^0x2$/, chainId: QUANTITY, v: QUANTITY, r: QUANTITY, s: QUANTITY,
      yParity: /^0x[01]$/,
    })
    assert.deepEqual(tx.accessList, [])
    assert.deepEqual([tx.from, tx.hash, tx.blockHash], [self, hash, receipt.blockHash])
    // Of a mined transaction, gasPrice is what was paid.
    assert.equal(tx.gasPrice, receipt.effectiveGasPrice)
  })

  test('the receipt', () => {
    assertShape(receipt, {
      transactionHash: HASH, transactionIndex: QUANTITY, blockHash: HASH, blockNumber: QUANTITY, from: ADDRESS,
      to: ADDRESS, cumulativeGasUsed: QUANTITY, gasUsed: QUANTITY, effectiveGasPrice: QUANTITY, logsBloom: BLOOM,
      type: /^0x2$/, status: /^0x1$/,
    })
    assert.equal(receipt.contractAddress, null)
    const [log] = receipt.logs
    assertShape(log, {
      address: ADDRESS, data: data(32), blockHash: HASH, blockNumber: QUANTITY, transactionHash: HASH,
      transactionIndex: QUANTITY, logIndex: QUANTITY, removed: /^false$/,
    })
    assert.equal(log.topics.length, 3)
  })

  test('the block', async () => {
    assertShape(block, {
      number: QUANTITY, hash: HASH, parentHash: HASH, nonce: data(8), sha3Uncles: HASH, logsBloom: BLOOM,
      transactionsRoot: HASH, stateRoot: HASH, receiptsRoot: HASH, mixHash: HASH, miner: ADDRESS,
      difficulty: QUANTITY, extraData: BYTES, size: QUANTITY, gasLimit: QUANTITY, gasUsed: QUANTITY,
      timestamp: QUANTITY, baseFeePerGas: QUANTITY,
    })
    assert.deepEqual(block.uncles, [])
    const index = Number(receipt.transactionIndex)
    assert.equal(block.transactions[index], hash)
    assert.deepEqual(await rpc('eth_getBlockByHash', block.hash, false), block)
    const full = await rpc('eth_getBlockByHash', block.hash, true)
    assert.deepEqual(full.transactions[index], tx)
  })

  test('receipts and logs add up to the block', async () => {
    const receipts = await Promise.all(block.transactions.map((item) => rpc('eth_getTransactionReceipt', item)))
    let total = 0n
    for (const [i, item] of receipts.entries()) {
      total += BigInt(item.gasUsed)
      assert.equal(Number(item.transactionIndex), i)
      assert.equal(BigInt(item.cumulativeGasUsed), total)
    }
    assert.equal(BigInt(block.gasUsed), total)
    const place = ({ blockHash, transactionHash, logIndex, address, topics, data: bytes }) =>
      ({ blockHash, transactionHash, logIndex, address, topics, bytes })
    const logs = await rpc('eth_getLogs', { blockHash: block.hash })
    assert.deepEqual(logs.map(place), receipts.flatMap((item) => item.logs).map(place))
    assert.deepEqual(logs.map((log) => Number(log.logIndex)), logs.map((_, i) => i))
  })

  test('eth_getLogs: topics by place, alternatives and gaps', async () => {
    const [transfer, from, receiver] = receipt.logs[0].topics
    const other = ethers.id('Other()')
    const address = token.target
    const find = async (topics, more = {}) => {
      const range = { fromBlock: receipt.blockNumber, toBlock: receipt.blockNumber }
      const logs = await rpc('eth_getLogs', { address, topics, ...range, ...more })
      return logs.filter((log) => log.transactionHash === hash).length
    }
    assert.equal(await find([]), 1)
    assert.equal(await find([transfer]), 1)
    assert.equal(await find([null, null, receiver]), 1)
    assert.equal(await find([[other, transfer], from, [receiver, other]]), 1)
    assert.equal(await find([transfer, receiver]), 0)
    assert.equal(await find([other]), 0)
    assert.equal(await find([], { address: [freshAddress(), address] }), 1)
    assert.equal(await find([], { address: freshAddress() }), 0)
    assert.equal(await find([transfer], { address: undefined }), 1)
    assert.ok(Array.isArray(await rpc('eth_getLogs', {})))
  })

  test('eth_getBalance, eth_getTransactionCount, eth_getCode, eth_getStorageAt', async () => {
    const { target } = token
    assert.match(await rpc('eth_getBalance', self, 'latest'), QUANTITY)
    assert.equal(await rpc('eth_getBalance', freshAddress(), 'latest'), '0x0')
    for (const tag of ['latest', 'pending']) {
      assert.equal(await rpc('eth_getTransactionCount', self, tag), ethers.toQuantity(Number(tx.nonce) + 1))
    }
    assert.match(await rpc('eth_getCode', target, 'latest'), /^0x([0-9a-f]{2}){1000,}$/)
    assert.equal(await rpc('eth_getCode', self, 'latest'), '0x')
    for (const key of ['0x2', ethers.toBeHex(2, 32)]) {
      assert.equal(await rpc('eth_getStorageAt', target, key, 'latest'), ethers.toBeHex(1_000, 32))
    }
    assert.equal(await rpc('eth_getStorageAt', freshAddress(), '0x0', 'latest'), ethers.ZeroHash)
  })

  test('eth_call: data or input, without a sender, and nothing stays', async () => {
    const { target } = token
    const balanceOf = token.interface.encodeFunctionData('balanceOf', [to])
    for (const call of [{ to: target, data: balanceOf }, { to: target, input: balanceOf }]) {
      assert.equal(await rpc('eth_call', call, 'latest'), ethers.toBeHex(10, 32))
    }
    const transfer = token.interface.encodeFunctionData('transfer', [to, 5n])
    assert.equal(await rpc('eth_call', { from: self, to: target, data: transfer }, 'latest'), ethers.toBeHex(1, 32))
    assert.equal(await token.balanceOf(to), 10n)
    // A call of nobody returns nothing; a creation returns the code.
    assert.equal(await rpc('eth_call', { to: freshAddress(), data: '0x1234' }, 'latest'), '0x')
    assert.equal(await rpc('eth_call', { from: self, data: '0x60015ff3' }, 'latest'), '0x00')
  })

  test('eth_estimateGas is a quantity, with and without a block', async () => {
    const call = { from: self, to: freshAddress(), value: '0x1' }
    assert.match(await rpc('eth_estimateGas', call), QUANTITY)
    assert.match(await rpc('eth_estimateGas', call, 'latest'), QUANTITY)
    assert.match(await rpc('eth_estimateGas', call, 'pending'), QUANTITY)
  })

  test('eth_feeHistory', async () => {
    const history = await rpc('eth_feeHistory', '0x2', 'latest', [10, 50, 90])
    assert.match(history.oldestBlock, QUANTITY)
    assert.equal(history.gasUsedRatio.length, 2)
    assert.equal(history.baseFeePerGas.length, 3)
    assert.deepEqual(history.reward.map((row) => row.length), [3, 3])
    for (const ratio of history.gasUsedRatio) assert.ok(ratio >= 0 && ratio <= 1)
    for (const fee of [...history.baseFeePerGas, ...history.reward.flat()]) assert.match(fee, QUANTITY)
    // More blocks than there are: those that there are.
    const all = await rpc('eth_feeHistory', '0x400', 'latest', [])
    assert.ok(all.gasUsedRatio.length >= 2)
    assert.equal(all.baseFeePerGas.length, all.gasUsedRatio.length + 1)
  })

  test('what is not there is null', async () => {
    assert.equal(await rpc('eth_getTransactionByHash', ethers.ZeroHash), null)
    assert.equal(await rpc('eth_getTransactionReceipt', ethers.ZeroHash), null)
    assert.equal(await rpc('eth_getBlockByHash', ethers.ZeroHash, false), null)
  })
})

describe('precompiled contracts 0x01 to 0x04', SUITE, () => {
  const at = (index, input) => rpc('eth_call', { to: ethers.toBeHex(index, 20), data: input }, 'latest')

  test('ecrecover', async () => {
    const digest = ethers.id('message')
    const { v, r, s } = wallet.signingKey.sign(digest)
    const answer = await at(1, ethers.concat([digest, ethers.toBeHex(v, 32), r, s]))
    assert.equal(answer, ethers.zeroPadValue(self, 32))
    assert.equal(await at(1, '0x'), '0x')
  })

  test('sha256, ripemd160 and identity', async () => {
    const input = ethers.hexlify(ethers.randomBytes(77))
    assert.equal(await at(2, input), ethers.sha256(input))
    assert.equal(await at(3, input), ethers.zeroPadValue(ethers.ripemd160(input), 32))
    assert.equal(await at(4, input), input)
  })
})
