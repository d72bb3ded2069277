// web3.js 4: a token, events, decoded errors, transactions, fees, batches; over HTTP and over WebSocket.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ACCOUNT, RPC_URL, SUITE, account, artifact, ethers, eventually, freshAddress, rpc } from './lib/env.mjs'
import { packageRequire } from './lib/packages.mjs'

const { Web3, WebSocketProvider } = packageRequire()('web3')

const SUPPLY = 10n ** 24n
const POLLING_INTERVAL_MS = 50

/** For a transaction that is to fail on chain, which no estimate can cover. */
const GAS_FOR_A_REVERT = 1_000_000n

const { address: sender, privateKey } = account(ACCOUNT.web3js)

function connect(provider) {
  const web3 = new Web3(provider)
  web3.setConfig({ transactionPollingInterval: POLLING_INTERVAL_MS })
  web3.eth.accounts.wallet.add(privateKey)
  return web3
}

const web3 = connect(RPC_URL)

async function deploy(name, args, options = {}) {
  const { abi, bytecode } = artifact(name)
  const contract = new web3.eth.Contract(abi)
  return contract.deploy({ data: bytecode, arguments: args }).send({ from: sender, ...options })
}

/** What `attempt` fails with. */
const failure = (attempt) => attempt.then(() => assert.fail('it did not fail'), (error) => error)

describe('an ERC-20', SUITE, () => {
  let token
  before(async () => {
    token = await deploy('Token', [SUPPLY])
  })

  test('deploys to the address that nonce and sender give', async () => {
    const nonce = (await web3.eth.getTransactionCount(sender)) - 1n
    assert.equal(token.options.address, ethers.getCreateAddress({ from: sender, nonce }))
    assert.notEqual(await web3.eth.getCode(token.options.address), '0x')
    assert.equal(await token.methods.name().call(), 'Parhelion Test Token')
    assert.equal(await token.methods.decimals().call(), 18n)
    assert.equal(await token.methods.balanceOf(sender).call(), SUPPLY)
  })

  test('transfer, with its receipt and decoded events', async () => {
    const to = freshAddress()
    const transfer = token.methods.transfer(to, 1_000n)
    const estimate = await transfer.estimateGas({ from: sender })
    const receipt = await transfer.send({ from: sender })
    assert.equal(receipt.status, 1n)
    assert.equal(receipt.type, 2n)
    assert.equal(receipt.from, sender.toLowerCase())
    assert.equal(ethers.getAddress(receipt.to), token.options.address)
    assert.ok(receipt.gasUsed <= estimate, `used ${receipt.gasUsed} of ${estimate}`)
    assert.ok(receipt.cumulativeGasUsed >= receipt.gasUsed)
    assert.equal(receipt.contractAddress, undefined)
    const { from, to: receiver, value } = receipt.events.Transfer.returnValues
    assert.deepEqual([from, receiver, value], [sender, to, 1_000n])
    assert.equal(await token.methods.balanceOf(to).call(), 1_000n)
  })

  test('send tells hash, receipt and confirmation, in this order', async () => {
    const heard = []
    const sending = token.methods.transfer(freshAddress(), 5n).send({ from: sender })
    sending.once('transactionHash', (hash) => heard.push(['hash', hash]))
    sending.once('receipt', (receipt) => heard.push(['receipt', receipt.transactionHash]))
    const { transactionHash } = await sending
    assert.deepEqual(heard, [['hash', transactionHash], ['receipt', transactionHash]])
  })

  test('getPastEvents by name, by parameter and by range', async () => {
    const [first, second] = [freshAddress(), freshAddress()]
    const send = (to, value) => token.methods.transfer(to, value).send({ from: sender })
    const fromBlock = (await send(first, 11n)).blockNumber
    const toBlock = (await send(second, 22n)).blockNumber
    const values = async (event, options) =>
      (await token.getPastEvents(event, options)).map(({ returnValues }) => returnValues.value)
    assert.deepEqual(await values('Transfer', { fromBlock, toBlock }), [11n, 22n])
    assert.deepEqual(await values('Transfer', { fromBlock, filter: { to: second } }), [22n])
    assert.deepEqual(await values('Transfer', { fromBlock, filter: { from: sender, to: [first, second] } }), [11n, 22n])
    assert.deepEqual(await values('Transfer', { fromBlock, filter: { from: first } }), [])
    assert.deepEqual(await values('Transfer', { fromBlock: toBlock }), [22n])
    assert.deepEqual(await values('Approval', { fromBlock, toBlock }), [])
    const [event] = await token.getPastEvents('allEvents', { fromBlock, toBlock: fromBlock })
    assert.equal(event.event, 'Transfer')
    assert.equal(event.signature, ethers.id('Transfer(address,address,uint256)'))
    assert.equal(event.blockNumber, fromBlock)
  })

  test('storage', async () => {
    assert.equal(BigInt(await web3.eth.getStorageAt(token.options.address, 2n)), SUPPLY)
    assert.equal(BigInt(await web3.eth.getStorageAt(token.options.address, 77n)), 0n)
  })
})

describe('failures', SUITE, () => {
  let counter
  before(async () => {
    counter = await deploy('Counter', [3n])
  })

  test('a reason, by eth_call and by eth_estimateGas', async () => {
    const { failWithReason } = counter.methods
    for (const how of ['call', 'estimateGas']) {
      const error = await failure(failWithReason()[how]({ from: sender }))
      assert.equal(error.name, 'ContractExecutionError')
      assert.equal(error.cause.code, 3)
      assert.match(error.cause.message, /^execution reverted: the reason/)
    }
  })

  test('a custom error is decoded with its arguments', async () => {
    const { cause } = await failure(counter.methods.failWithCustomError(42n).call({ from: sender }))
    assert.equal(cause.errorName, 'Forbidden')
    assert.equal(cause.errorSignature, 'Forbidden(address,uint256)')
    assert.deepEqual([cause.errorArgs.caller, cause.errorArgs.code], [sender, 42n])
  })

  test('a panic comes with its data', async () => {
    const { cause } = await failure(counter.methods.failWithPanic(1n).call({ from: sender }))
    const panic = new ethers.Interface(['error Panic(uint256)']).encodeErrorResult('Panic', [0x11])
    assert.equal(cause.data, panic)
  })

  test('a transaction that would revert is not sent', async () => {
    const nonce = await web3.eth.getTransactionCount(sender)
    const error = await failure(counter.methods.failWithReason().send({ from: sender }))
    assert.match(`${error.message} ${error.cause?.message}`, /the reason/)
    assert.equal(await web3.eth.getTransactionCount(sender), nonce)
  })

  test('one that reverts on chain has a receipt with status 0', async () => {
    const nonce = await web3.eth.getTransactionCount(sender)
    const unchecked = { checkRevertBeforeSending: false }
    const transaction = { from: sender, to: counter.options.address, gas: GAS_FOR_A_REVERT, value: 5n,
      data: counter.methods.failWithReason().encodeABI() }
    const error = await failure(web3.eth.sendTransaction(transaction, undefined, unchecked))
    assert.equal(error.receipt.status, 0n)
    assert.equal(error.receipt.logs.length, 0)
    assert.equal(await counter.methods.count().call(), 0n)
    assert.equal(await web3.eth.getBalance(counter.options.address), 0n)
    assert.equal(await web3.eth.getTransactionCount(sender), nonce + 1n)
  })

  test('a nonce that was used is refused', async () => {
    const transaction = { from: sender, to: freshAddress(), value: 1n, nonce: 0n }
    const error = await failure(web3.eth.sendTransaction(transaction, undefined, { checkRevertBeforeSending: false }))
    assert.match(`${error.message} ${error.cause?.message}`, /nonce too low/)
  })
})

describe('transactions', SUITE, () => {
  test('types 0, 1 and 2 come back as they were signed', async () => {
    const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = await web3.eth.calculateFeeData()
    const accessList = [{ address: freshAddress().toLowerCase(), storageKeys: [ethers.ZeroHash] }]
    const kinds = [
      { type: 0n, gasPrice },
      { type: 1n, gasPrice, accessList },
      { type: 2n, maxFeePerGas, maxPriorityFeePerGas, accessList },
    ]
    for (const kind of kinds) {
      const to = freshAddress()
      const receipt = await web3.eth.sendTransaction({ from: sender, to, value: 5n, data: '0xc0ffee', ...kind })
      assert.equal(receipt.status, 1n)
      assert.equal(receipt.type, kind.type)
      const found = await web3.eth.getTransaction(receipt.transactionHash)
      assert.equal(found.type, kind.type)
      assert.equal(found.value, 5n)
      assert.equal(found.input, '0xc0ffee')
      assert.equal(found.blockHash, receipt.blockHash)
      assert.deepEqual(found.accessList, kind.accessList)
      assert.equal(ethers.getAddress(found.to), to)
      assert.equal(await web3.eth.getBalance(to), 5n)
    }
  })

  test('signTransaction and sendSignedTransaction', async () => {
    const to = freshAddress()
    const gas = await web3.eth.estimateGas({ from: sender, to, value: 7n })
    const request = { from: sender, to, value: 7n, gas, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 0n }
    const { rawTransaction, transactionHash } = await web3.eth.accounts.signTransaction(request, privateKey)
    const receipt = await web3.eth.sendSignedTransaction(rawTransaction)
    assert.equal(receipt.transactionHash, transactionHash)
    assert.equal(await web3.eth.getBalance(to), 7n)
    const again = await failure(web3.eth.sendSignedTransaction(rawTransaction))
    assert.match(`${again.message} ${again.cause?.message}`, /nonce too low|already known|already imported/)
  })

  test('an unknown transaction has no receipt', async () => {
    assert.equal((await failure(web3.eth.getTransactionReceipt(ethers.ZeroHash))).name, 'TransactionNotFound')
    assert.equal((await failure(web3.eth.getTransaction(ethers.ZeroHash))).name, 'TransactionNotFound')
  })
})

describe('blocks, fees and batches', SUITE, () => {
  test('a block by number and by hash, with its transactions', async () => {
    const receipt = await web3.eth.sendTransaction({ from: sender, to: freshAddress(), value: 1n })
    const block = await web3.eth.getBlock(receipt.blockNumber)
    assert.equal(block.hash, receipt.blockHash)
    assert.equal(block.transactions[Number(receipt.transactionIndex)], receipt.transactionHash)
    const full = await web3.eth.getBlock(block.hash, true)
    assert.equal(full.number, block.number)
    assert.equal(full.transactions[Number(receipt.transactionIndex)].hash, receipt.transactionHash)
    assert.equal(await web3.eth.getBlockTransactionCount(block.hash), BigInt(block.transactions.length))
    const byIndex = await web3.eth.getTransactionFromBlock(block.number, receipt.transactionIndex)
    assert.equal(byIndex.hash, receipt.transactionHash)
  })

  test('calculateFeeData and getFeeHistory', async () => {
    const { gasPrice, maxFeePerGas, maxPriorityFeePerGas, baseFeePerGas } = await web3.eth.calculateFeeData()
    assert.ok(gasPrice > 0n)
    assert.ok(maxFeePerGas >= baseFeePerGas + maxPriorityFeePerGas)
    const history = await web3.eth.getFeeHistory(2n, 'latest', [25, 75])
    assert.equal(history.baseFeePerGas.length, history.gasUsedRatio.length + 1)
    assert.equal(history.reward.length, history.gasUsedRatio.length)
    assert.ok(history.reward.every((percentiles) => percentiles.length === 2))
  })

  test('the chain', async () => {
    assert.equal(await web3.eth.getChainId(), BigInt(await rpc('eth_chainId')))
    assert.equal(await web3.eth.net.getId(), BigInt(await rpc('net_version')))
    assert.equal(await web3.eth.net.isListening(), true)
    assert.equal(await web3.eth.isSyncing(), false)
    assert.equal(await web3.eth.getNodeInfo(), await rpc('web3_clientVersion'))
  })

  test('a batch answers each of its requests, also those that fail', async () => {
    const batch = new web3.BatchRequest()
    const answers = [
      batch.add({ method: 'eth_chainId', params: [] }),
      batch.add({ method: 'eth_getBalance', params: [freshAddress(), 'latest'] }),
      batch.add({ method: 'eth_noSuchMethod', params: [] }),
    ]
    const refused = failure(answers[2])
    await batch.execute()
    assert.equal(await answers[0], await rpc('eth_chainId'))
    assert.equal(BigInt(await answers[1]), 0n)
    assert.equal((await refused).code, -32601)
  })
})

describe('over WebSocket', SUITE, () => {
  let socket, token
  const subscriptions = []
  before(async () => {
    token = await deploy('Token', [SUPPLY])
    // anvil: closes without a handshake, after which web3.js would connect again.
    const options = { autoReconnect: false }
    socket = connect(new WebSocketProvider(RPC_URL.replace(/^http/, 'ws'), {}, options))
  })
  after(async () => {
    await Promise.all(subscriptions.map((subscription) => subscription.unsubscribe()))
    socket.currentProvider.disconnect()
  })

  const contract = () => new socket.eth.Contract(token.options.jsonInterface, token.options.address)

  test('requests, calls and a transaction', async () => {
    assert.equal(await socket.eth.getChainId(), await web3.eth.getChainId())
    const to = freshAddress()
    const receipt = await contract().methods.transfer(to, 9n).send({ from: sender })
    assert.equal(receipt.status, 1n)
    assert.equal(await contract().methods.balanceOf(to).call(), 9n)
    const { cause } = await failure(contract().methods.transfer(to, 1n).call({ from: freshAddress() }))
    assert.equal(cause.code, 3)
  })

  test('many requests at once get their own answers', async () => {
    const numbers = Array.from({ length: 50 }, (_, i) => BigInt(i))
    const asked = numbers.map((n) => socket.eth.getStorageAt(token.options.address, n))
    const slots = await Promise.all(asked)
    const expected = await Promise.all(numbers.map((n) => web3.eth.getStorageAt(token.options.address, n)))
    assert.deepEqual(slots, expected)
    assert.equal(BigInt(slots[2]), SUPPLY)
  })

  test('subscriptions to headers and to events', async () => {
    const headers = []
    const heads = await socket.eth.subscribe('newBlockHeaders')
    heads.on('data', (header) => headers.push(header))
    const to = freshAddress()
    const transfers = []
    const events = contract().events.Transfer({ filter: { to } })
    events.on('data', (event) => transfers.push(event))
    await new Promise((resolve) => events.on('connected', resolve))
    subscriptions.push(heads, events)

    const receipt = await token.methods.transfer(to, 31n).send({ from: sender })
    await token.methods.transfer(freshAddress(), 32n).send({ from: sender })
    await token.methods.transfer(to, 33n).send({ from: sender })
    await eventually('two events', () => (transfers.length >= 2 ? true : undefined))
    assert.deepEqual(transfers.map(({ returnValues }) => returnValues.value), [31n, 33n])
    assert.equal(transfers[0].transactionHash, receipt.transactionHash)
    const isOurs = ({ number }) => BigInt(number) === receipt.blockNumber
    const header = await eventually('the header of the block', () => headers.find(isOurs))
    assert.equal(header.hash, receipt.blockHash)
  })
})
