// viem: public client and wallet client with local accounts.

import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { ACCOUNT, RPC_URL, SUITE, account, artifact, freshAddress, rpc, viem } from './lib/env.mjs'

const SUPPLY = 10n ** 24n
const GAS_FOR_A_REVERT = 1_000_000n // see ethers.test.mjs

const chainId = Number(await rpc('eth_chainId'))
const chain = viem.defineChain({
  id: chainId,
  name: 'node under test',
  nativeCurrency: { name: 'SOL', symbol: 'SOL', decimals: 18 },
  rpcUrls: { default: { http: [RPC_URL] } },
})
// cacheTime: block numbers are compared right after they changed.
const options = { chain, transport: viem.http(RPC_URL, { retryCount: 0 }), pollingInterval: 100, cacheTime: 0 }
const owner = viem.privateKeyToAccount(account(ACCOUNT.viem).privateKey)
const spender = viem.privateKeyToAccount(account(ACCOUNT.viemSpender).privateKey)
const client = viem.createPublicClient(options)
const wallet = viem.createWalletClient({ ...options, account: owner })

const wait = (hash) => client.waitForTransactionReceipt({ hash })

async function deploy(name, args, overrides = {}) {
  const { abi, bytecode } = artifact(name)
  const receipt = await wait(await wallet.deployContract({ abi, bytecode, args, ...overrides }))
  assert.equal(receipt.status, 'success')
  return { abi, address: viem.getAddress(receipt.contractAddress), receipt }
}

describe('an ERC-20', SUITE, () => {
  let token
  const holder = freshAddress()
  before(async () => {
    token = await deploy('Token', [SUPPLY])
  })

  const read = (functionName, ...args) => client.readContract({ ...token, functionName, args })
  const write = async (functionName, ...args) => wait(await wallet.writeContract({ ...token, functionName, args }))

  test('deployContract and readContract', async () => {
    const { receipt, address } = token
    const nonce = BigInt((await client.getTransaction({ hash: receipt.transactionHash })).nonce)
    assert.equal(address, viem.getContractAddress({ from: owner.address, nonce }))
    assert.equal(await read('name'), 'Parhelion Test Token')
    assert.equal(await read('balanceOf', owner.address), SUPPLY)
    assert.ok(viem.size(await client.getCode({ address })) > 1_000)
  })

  test('simulateContract, writeContract, waitForTransactionReceipt', async () => {
    const { request, result } = await client.simulateContract({
      ...token, account: owner, functionName: 'transfer', args: [holder, 100n],
    })
    assert.equal(result, true)
    const receipt = await wait(await wallet.writeContract(request))
    assert.equal(receipt.status, 'success')
    assert.equal(receipt.type, 'eip1559')
    assert.equal(receipt.from, owner.address.toLowerCase())
    assert.equal(receipt.to, token.address.toLowerCase())
    assert.equal(await read('balanceOf', holder), 100n)
  })

  test('approve, then transferFrom by the other', async () => {
    await write('approve', spender.address, 60n)
    const hash = await wallet.writeContract({
      ...token, account: spender, functionName: 'transferFrom', args: [owner.address, holder, 60n],
    })
    assert.equal((await wait(hash)).status, 'success')
    assert.equal(await read('allowance', owner.address, spender.address), 0n)
  })

  test('getLogs and getContractEvents', async () => {
    const to = freshAddress()
    const receipt = await write('transfer', to, 5n)
    const range = { fromBlock: receipt.blockNumber, toBlock: 'latest' }
    const event = token.abi.find((entry) => entry.type === 'event' && entry.name === 'Transfer')
    const logs = await client.getLogs({ address: token.address, event, args: { to }, ...range })
    const events = await client.getContractEvents({ ...token, eventName: 'Transfer', args: { to }, ...range })
    const inBlock = await client.getLogs({ address: token.address, event, args: { to }, blockHash: receipt.blockHash })
    for (const found of [logs, events, inBlock]) {
      assert.equal(found.length, 1)
      assert.deepEqual(found[0].args, { from: owner.address, to: viem.getAddress(to), value: 5n })
      assert.equal(found[0].transactionHash, receipt.transactionHash)
      assert.equal(found[0].logIndex, receipt.logs[0].logIndex)
      assert.equal(found[0].removed, false)
    }
    const elsewhere = await client.getLogs({ address: freshAddress(), ...range })
    assert.deepEqual(elsewhere, [])
  })

  test('estimateGas and estimateContractGas cover what is used', async () => {
    const to = freshAddress()
    const value = await client.estimateGas({ account: owner, to, value: 1n })
    const sent = await wait(await wallet.sendTransaction({ to, value: 1n, gas: value }))
    assert.equal(sent.status, 'success')
    assert.ok(sent.gasUsed >= 21_000n && sent.gasUsed <= value)
    const call = { ...token, functionName: 'transfer', args: [freshAddress(), 1n] }
    const gas = await client.estimateContractGas({ ...call, account: owner })
    const moved = await wait(await wallet.writeContract({ ...call, gas }))
    assert.equal(moved.status, 'success')
    assert.ok(moved.gasUsed <= gas, `used ${moved.gasUsed} of ${gas}`)
  })

  test('getStorageAt and getTransactionCount', async () => {
    assert.equal(BigInt(await client.getStorageAt({ address: token.address, slot: '0x2' })), SUPPLY)
    const nonce = await client.getTransactionCount({ address: owner.address })
    await write('transfer', holder, 1n)
    assert.equal(await client.getTransactionCount({ address: owner.address }), nonce + 1)
    // A contract starts with nonce 1 (EIP-161).
    assert.equal(await client.getTransactionCount({ address: token.address }), 1)
  })
})

describe('errors are decoded', SUITE, () => {
  let counter
  before(async () => {
    counter = await deploy('Counter', [3n])
  })

  async function simulate(functionName, ...args) {
    try {
      await client.simulateContract({ ...counter, account: owner, functionName, args })
    } catch (error) {
      return error.walk((cause) => cause instanceof viem.ContractFunctionRevertedError)
    }
    return assert.fail(`${functionName} succeeded`)
  }

  test('a revert with a reason', async () => {
    assert.equal((await simulate('failWithReason')).reason, 'the reason')
  })

  test('a custom error', async () => {
    const { data } = await simulate('failWithCustomError', 42n)
    assert.equal(data.errorName, 'Forbidden')
    assert.deepEqual(data.args, [owner.address, 42n])
  })

  test('a panic', async () => {
    const { data, reason } = await simulate('failWithPanic', 1n)
    assert.equal(data.errorName, 'Panic')
    assert.deepEqual(data.args, [0x11n])
    assert.match(reason, /underflow or overflow/)
  })

  test('a revert seen by estimateContractGas and by writeContract', async () => {
    const call = { ...counter, functionName: 'failWithCustomError', args: [7n] }
    const nonce = await client.getTransactionCount({ address: owner.address })
    // Functions, because a promise that rejects before it is awaited fails the test on its own.
    for (const attempt of [() => client.estimateContractGas({ ...call, account: owner }), () => wallet.writeContract(call)]) {
      await assert.rejects(attempt, (error) => {
        assert.match(error.message, /Forbidden|execution reverted/i)
        return true
      })
    }
    assert.equal(await client.getTransactionCount({ address: owner.address }), nonce)
  })

  test('a reverted transaction has status reverted', async () => {
    const call = { ...counter, functionName: 'failWithReason', gas: GAS_FOR_A_REVERT }
    const receipt = await wait(await wallet.writeContract(call))
    assert.equal(receipt.status, 'reverted')
    assert.deepEqual(receipt.logs, [])
  })

  test('insufficient funds', async () => {
    const poor = viem.privateKeyToAccount(viem.generatePrivateKey())
    const attempt = wallet.sendTransaction({ account: poor, to: owner.address, value: 1n })
    await assert.rejects(attempt, (error) => {
      assert.ok(error.walk((cause) => cause instanceof viem.InsufficientFundsError), error.message)
      return true
    })
  })

  test('a nonce that is used already', async () => {
    const attempt = wallet.sendTransaction({ to: owner.address, value: 1n, nonce: 0 })
    await assert.rejects(attempt, (error) => {
      assert.ok(error.walk((cause) => cause instanceof viem.NonceTooLowError), error.message)
      return true
    })
  })
})

describe('the chain', SUITE, () => {
  test('getChainId, getBlockNumber, getGasPrice, getFeeHistory', async () => {
    assert.equal(await client.getChainId(), chainId)
    assert.ok((await client.getBlockNumber()) >= 0n)
    assert.ok((await client.getGasPrice()) > 0n)
    const { maxFeePerGas, maxPriorityFeePerGas } = await client.estimateFeesPerGas()
    assert.ok(maxFeePerGas >= maxPriorityFeePerGas)
    const history = await client.getFeeHistory({ blockCount: 2, rewardPercentiles: [25, 75] })
    const blocks = history.gasUsedRatio.length
    assert.ok(blocks >= 1 && blocks <= 2)
    // One more base fee than blocks: that of the next one.
    assert.equal(history.baseFeePerGas.length, blocks + 1)
    assert.deepEqual(history.reward.map((row) => row.length), Array(blocks).fill(2))
  })

  test('getBlock and getTransaction', async () => {
    const hash = await wallet.sendTransaction({ to: freshAddress(), value: 1n })
    const receipt = await wait(hash)
    const block = await client.getBlock({ blockNumber: receipt.blockNumber, includeTransactions: true })
    assert.equal(block.hash, receipt.blockHash)
    assert.equal(block.transactions[receipt.transactionIndex].hash, hash)
    assert.equal((await client.getBlock({ blockHash: block.hash })).number, block.number)
    const tx = await client.getTransaction({ hash })
    assert.equal(tx.blockNumber, receipt.blockNumber)
    assert.equal(tx.typeHex, '0x2')
    assert.equal(tx.chainId, chainId)
    assert.ok(tx.yParity === 0 || tx.yParity === 1)
    // Who signed it, from the fields that the node returned.
    const { r, s, yParity, nonce, gas, maxFeePerGas, maxPriorityFeePerGas, to, value } = tx
    const raw = { type: 'eip1559', chainId, nonce, gas, maxFeePerGas, maxPriorityFeePerGas, to, value }
    const serialized = viem.serializeTransaction(raw, { r, s, yParity })
    assert.equal(viem.keccak256(serialized), hash)
    assert.equal(await viem.recoverTransactionAddress({ serializedTransaction: serialized }), owner.address)
    await assert.rejects(client.getBlock({ blockNumber: block.number + 1_000_000n }), viem.BlockNotFoundError)
    await assert.rejects(client.getTransaction({ hash: viem.zeroHash }), viem.TransactionNotFoundError)
  })

  test('EIP-7702: an account borrows the code of a contract', async () => {
    const counter = await deploy('Counter', [3n])
    const borrower = viem.privateKeyToAccount(viem.generatePrivateKey())
    const authorization = await wallet.signAuthorization({ account: borrower, contractAddress: counter.address })
    const gas = await client.estimateGas({ account: owner, to: borrower.address, authorizationList: [authorization] })
    const hash = await wallet.sendTransaction({ to: borrower.address, authorizationList: [authorization], gas })
    const receipt = await wait(hash)
    assert.equal(receipt.status, 'success')
    assert.equal(receipt.type, 'eip7702')
    const designator = `0xef0100${counter.address.slice(2).toLowerCase()}`
    assert.equal(await client.getCode({ address: borrower.address }), designator)
    assert.equal(await client.getTransactionCount({ address: borrower.address }), 1)
    const call = { abi: counter.abi, address: borrower.address, functionName: 'increment' }
    assert.equal((await wait(await wallet.writeContract(call))).status, 'success')
    const count = { abi: counter.abi, functionName: 'count' }
    assert.equal(await client.readContract({ ...count, address: borrower.address }), 3n)
    assert.equal(await client.readContract({ ...count, address: counter.address }), 0n)
    const { authorizationList } = await client.getTransaction({ hash })
    assert.equal(viem.getAddress(authorizationList[0].address), counter.address)
  })
})
