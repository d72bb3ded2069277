// ethers 6: tokens, events, the ways to fail, transaction types, nonces, blocks.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ACCOUNT, RPC_URL, SUITE, account, artifact, ethers, freshAddress } from './lib/env.mjs'

const SUPPLY = 10n ** 24n

/**
 * For a transaction that is to fail on chain, which no estimate can cover. Also enough where a node charges
 * for state: a transaction that reverts creates none.
 */
const GAS_FOR_A_REVERT = 1_000_000n

// No cache: the tests read nonces and balances right after they changed. Batches stay on, as by default.
const provider = new ethers.JsonRpcProvider(RPC_URL, undefined, { cacheTimeout: -1, pollingInterval: 100 })
const wallet = new ethers.Wallet(account(ACCOUNT.ethers).privateKey, provider)
const spender = new ethers.Wallet(account(ACCOUNT.ethersSpender).privateKey, provider)

after(() => provider.destroy())

async function deploy(name, args, overrides = {}) {
  const { abi, bytecode } = artifact(name)
  const contract = await new ethers.ContractFactory(abi, bytecode, wallet).deploy(...args, overrides)
  return contract.waitForDeployment()
}

const mined = async (sent) => (await sent).wait()

describe('an ERC-20', SUITE, () => {
  let token
  before(async () => {
    token = await deploy('Token', [SUPPLY])
  })

  test('deploys to the address that nonce and sender give', async () => {
    const tx = token.deploymentTransaction()
    const receipt = await tx.wait()
    assert.equal(receipt.status, 1)
    assert.equal(receipt.contractAddress, ethers.getCreateAddress({ from: wallet.address, nonce: tx.nonce }))
    assert.equal(receipt.to, null)
    assert.notEqual(await token.getDeployedCode(), null)
    assert.equal(await token.balanceOf(wallet.address), SUPPLY)
    // The mint is an event of the deployment itself.
    assert.deepEqual(receipt.logs.map((log) => token.interface.parseLog(log).args.value), [SUPPLY])
  })

  test('transfer, with everything a receipt has to say', async () => {
    const to = freshAddress()
    const estimate = await token.transfer.estimateGas(to, 1_000n)
    const sent = await token.transfer(to, 1_000n)
    const receipt = await sent.wait()
    assert.equal(receipt.status, 1)
    assert.ok(receipt.gasUsed <= estimate, `used ${receipt.gasUsed} of ${estimate}`)
    assert.ok(receipt.cumulativeGasUsed >= receipt.gasUsed)
    assert.equal(receipt.from, wallet.address)
    assert.equal(receipt.to, await token.getAddress())
    assert.equal(receipt.contractAddress, null)
    assert.equal(receipt.type, 2)
    assert.equal(receipt.logs.length, 1)
    const [log] = receipt.logs
    assert.deepEqual([...token.interface.parseLog(log).args], [wallet.address, to, 1_000n])
    assert.equal(log.transactionHash, sent.hash)
    assert.equal(log.blockHash, receipt.blockHash)
    assert.equal(log.blockNumber, receipt.blockNumber)
    for (const item of [log.address, ...log.topics]) assert.ok(inBloom(receipt.logsBloom, item), item)
    assert.equal(await token.balanceOf(to), 1_000n)
  })

  test('approve and transferFrom', async () => {
    const to = freshAddress()
    await mined(token.approve(spender.address, 500n))
    assert.equal(await token.allowance(wallet.address, spender.address), 500n)
    const receipt = await mined(token.connect(spender).transferFrom(wallet.address, to, 300n))
    assert.equal(receipt.from, spender.address)
    assert.equal(await token.balanceOf(to), 300n)
    assert.equal(await token.allowance(wallet.address, spender.address), 200n)
    await assert.rejects(token.connect(spender).transferFrom(wallet.address, to, 201n), (error) => {
      assert.equal(error.code, 'CALL_EXCEPTION')
      assert.equal(token.interface.parseError(error.data).name, 'ERC20InsufficientAllowance')
      return true
    })
  })

  test('a burst of transfers adds up', async () => {
    const receivers = Array.from({ length: 4 }, freshAddress)
    const start = await token.balanceOf(wallet.address)
    for (const [i, to] of receivers.entries()) await mined(token.transfer(to, BigInt(i + 1)))
    const balances = await Promise.all(receivers.map((to) => token.balanceOf(to)))
    assert.deepEqual(balances, [1n, 2n, 3n, 4n])
    assert.equal(await token.balanceOf(wallet.address), start - 10n)
    assert.equal(await token.totalSupply(), SUPPLY)
  })

  test('queryFilter finds Transfer events', async () => {
    const [first, second] = [freshAddress(), freshAddress()]
    const start = (await mined(token.transfer(first, 11n))).blockNumber
    const end = (await mined(token.transfer(second, 22n))).blockNumber
    const values = async (filter, from, to) =>
      (await token.queryFilter(filter, from, to)).map((event) => event.args.value)
    const { Transfer, Approval } = token.filters
    assert.deepEqual(await values(Transfer(), start, end), [11n, 22n])
    assert.deepEqual(await values(Transfer(null, second), start, 'latest'), [22n])
    assert.deepEqual(await values(Transfer(null, [first, second]), start, 'latest'), [11n, 22n])
    assert.deepEqual(await values(Transfer(wallet.address, first), start, end), [11n])
    assert.deepEqual(await values(Transfer(first), start, end), [])
    assert.deepEqual(await values(Approval(), start, end), [])
    const created = (await token.deploymentTransaction().wait()).blockNumber
    assert.deepEqual((await values(Transfer(ethers.ZeroAddress), created, end)), [SUPPLY])
  })
})

describe('failures', SUITE, () => {
  let counter
  before(async () => {
    counter = await deploy('Counter', [3n])
  })

  // Each is decoded from eth_call and from eth_estimateGas: error code 3, with the revert data.
  const cases = [
    { call: 'failWithReason', args: [], message: /the reason/, check: (e) => assert.equal(e.reason, 'the reason') },
    {
      call: 'failWithCustomError',
      args: [42n],
      check: (e, how) => {
        const revert = how === 'call' ? e.revert : counter.interface.parseError(e.data)
        assert.equal(revert.name, 'Forbidden')
        assert.deepEqual([...revert.args], [wallet.address, 42n])
      },
    },
    {
      call: 'failWithPanic',
      args: [1n],
      check: (e) => assert.equal(e.data, panicData(0x11)),
    },
    { call: 'failSilently', args: [], check: (e) => assert.ok(e.data === '0x' || e.data === null, e.data) },
  ]
  const panicData = (code) => new ethers.Interface(['error Panic(uint256)']).encodeErrorResult('Panic', [code])

  for (const { call, args, message, check } of cases) {
    for (const how of ['call', 'estimateGas']) {
      test(`${call} by ${how === 'call' ? 'eth_call' : 'eth_estimateGas'}`, async () => {
        const attempt = how === 'call' ? counter[call].staticCall(...args) : counter[call].estimateGas(...args)
        await assert.rejects(attempt, (error) => {
          assert.equal(error.code, 'CALL_EXCEPTION', error.message)
          const answer = error.info?.error
          if (answer) assert.equal(answer.code, 3, JSON.stringify(answer))
          if (answer) assert.match(answer.message, /^execution reverted/)
          if (message) assert.match(error.message, message)
          check(error, how)
          return true
        })
      })
    }
  }

  test('a reverted transaction is mined with status 0, and changes nothing but nonce and fee', async () => {
    const nonce = await wallet.getNonce()
    const sent = await counter.failWithReason({ gasLimit: GAS_FOR_A_REVERT, value: 5n })
    await assert.rejects(sent.wait(), (error) => {
      assert.equal(error.code, 'CALL_EXCEPTION')
      assert.equal(error.receipt.status, 0)
      assert.equal(error.receipt.logs.length, 0)
      return true
    })
    assert.equal(await counter.count(), 0n)
    assert.equal(await provider.getBalance(counter), 0n)
    assert.equal(await wallet.getNonce(), nonce + 1)
  })

  test('an invalid opcode uses up all gas', async () => {
    const gasLimit = 60_000n
    const sent = await counter.failWithInvalidOpcode.populateTransaction()
    const response = await wallet.sendTransaction({ ...sent, gasLimit })
    await assert.rejects(response.wait())
    const receipt = await provider.getTransactionReceipt(response.hash)
    assert.equal(receipt.status, 0)
    assert.equal(receipt.gasUsed, gasLimit)
  })
})

describe('a contract with value, immutables, CREATE2 and Osaka opcodes', SUITE, () => {
  let counter
  before(async () => {
    counter = await deploy('Counter', [3n], { value: 1_000n })
  })

  test('constructor value and immutables', async () => {
    assert.equal(await provider.getBalance(counter), 1_000n)
    assert.equal(await counter.owner(), wallet.address)
    assert.equal(await counter.step(), 3n)
  })

  test('state changes and their event', async () => {
    assert.equal(await counter.increment.staticCall(), 3n)
    const receipt = await mined(counter.increment())
    await mined(counter.increment())
    assert.equal(await counter.count(), 6n)
    const { name, args } = counter.interface.parseLog(receipt.logs[0])
    assert.deepEqual([name, ...args], ['Changed', wallet.address, 0n, 3n])
  })

  test('receive, fallback and pay', async () => {
    const start = await provider.getBalance(counter)
    const received = await mined(wallet.sendTransaction({ to: counter, value: 77n }))
    assert.equal(counter.interface.parseLog(received.logs[0]).name, 'Received')
    const fellBack = await mined(wallet.sendTransaction({ to: counter, value: 3n, data: '0x12345678' }))
    const { name, args } = counter.interface.parseLog(fellBack.logs[0])
    assert.deepEqual([name, ...args], ['FellBack', wallet.address, 3n, '0x12345678'])
    assert.equal(await provider.getBalance(counter), start + 80n)
    const to = freshAddress()
    await mined(counter.pay(to, 30n))
    assert.equal(await provider.getBalance(to), 30n)
    assert.equal(await provider.getBalance(counter), start + 50n)
    await assert.rejects(counter.pay(to, 10n ** 30n), (error) => error.revert?.name === 'PaymentFailed'
      || counter.interface.parseError(error.data)?.name === 'PaymentFailed')
  })

  test('CREATE2 puts a contract where it was foretold', async () => {
    const factory = await deploy('Factory', [])
    const salt = ethers.hexlify(ethers.randomBytes(32))
    const childCode = await factory.childCode(9n)
    const expected = ethers.getCreate2Address(await factory.getAddress(), salt, ethers.keccak256(childCode))
    assert.equal(await provider.getCode(expected), '0x')
    const receipt = await mined(factory.deploy(salt, 9n, { value: 12n }))
    assert.equal(factory.interface.parseLog(receipt.logs[0]).args.child, expected)
    const child = new ethers.Contract(expected, artifact('Child').abi, provider)
    assert.equal(await child.tag(), 9n)
    assert.equal(await provider.getBalance(expected), 12n)
    assert.equal(await provider.getTransactionCount(expected), 1)
    // The same again fails: the address is taken.
    await assert.rejects(factory.deploy(salt, 9n), { code: 'CALL_EXCEPTION' })
  })

  test('TSTORE, TLOAD, MCOPY and CLZ', async () => {
    const data = ethers.hexlify(ethers.randomBytes(100))
    assert.deepEqual([...(await counter.osaka.staticCall(data, 1n << 200n))], [data, 55n])
    assert.deepEqual([...(await counter.osaka.staticCall(data, 0n))], [data, 256n])
    // Transient storage is empty again in the next transaction.
    await mined(counter.osaka(data, 1n))
    assert.deepEqual([...(await counter.osaka.staticCall(data, 1n))], [data, 255n])
  })
})

describe('transactions', SUITE, () => {
  test('types 0, 1 and 2 come back as they were signed', async () => {
    const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData()
    const accessList = [{ address: ethers.getAddress(freshAddress()), storageKeys: [ethers.ZeroHash] }]
    const { chainId } = await provider.getNetwork()
    const kinds = [
      { type: 0, gasPrice },
      { type: 1, gasPrice, accessList },
      { type: 2, maxFeePerGas, maxPriorityFeePerGas, accessList },
    ]
    for (const kind of kinds) {
      const request = { ...kind, to: freshAddress(), value: 5n, data: '0xc0ffee' }
      const sent = await wallet.sendTransaction(request)
      const receipt = await sent.wait()
      assert.equal(receipt.status, 1)
      assert.equal(receipt.type, kind.type)
      const found = await provider.getTransaction(sent.hash)
      assert.equal(found.type, kind.type)
      assert.equal(found.from, wallet.address)
      assert.equal(found.blockHash, receipt.blockHash)
      assert.equal(found.index, receipt.index)
      assert.equal(found.chainId, chainId)
      assert.deepEqual(found.accessList, kind.accessList ?? null)
      // All signed fields as one: the hash over what the node returned.
      assert.equal(signedHash(found), sent.hash)
      const block = await provider.getBlock(receipt.blockNumber)
      const price = kind.type === 2
        ? min(maxFeePerGas, block.baseFeePerGas + maxPriorityFeePerGas)
        : gasPrice
      assert.equal(receipt.gasPrice, price)
    }
  })

  test('a legacy transaction from before EIP-155', async () => {
    const to = freshAddress()
    const gasLimit = await provider.estimateGas({ from: wallet.address, to, value: 6n })
    const { gasPrice } = await provider.getFeeData()
    const nonce = await wallet.getNonce()
    const raw = await wallet.signTransaction({ type: 0, chainId: 0n, nonce, to, value: 6n, gasLimit, gasPrice })
    const sent = await provider.broadcastTransaction(raw)
    assert.equal((await sent.wait()).status, 1)
    const found = await provider.getTransaction(sent.hash)
    assert.equal(found.from, wallet.address)
    assert.ok([27, 28].includes(found.signature.v))
    assert.equal(found.signature.networkV, null)
    assert.equal(await provider.getBalance(to), 6n)
  })

  test('five transactions in a row, without waiting', async () => {
    const start = await wallet.getNonce()
    const to = freshAddress()
    const sent = []
    for (let i = 1; i <= 5; i++) sent.push(await wallet.sendTransaction({ to, value: BigInt(i) }))
    assert.deepEqual(sent.map((tx) => tx.nonce), [0, 1, 2, 3, 4].map((i) => start + i))
    const receipts = await Promise.all(sent.map((tx) => tx.wait()))
    assert.ok(receipts.every((receipt) => receipt.status === 1))
    assert.equal(await provider.getBalance(to), 15n)
    assert.equal(await wallet.getNonce('latest'), start + 5)
  })

  test('five transactions at once, through a NonceManager', async () => {
    const manager = new ethers.NonceManager(wallet)
    const to = freshAddress()
    const start = await wallet.getNonce()
    const sent = await Promise.all([1n, 2n, 3n, 4n, 5n].map((value) => manager.sendTransaction({ to, value })))
    await Promise.all(sent.map((tx) => tx.wait()))
    assert.equal(await provider.getBalance(to), 15n)
    assert.equal(await wallet.getNonce('latest'), start + 5)
  })

  test('a transaction that arrives before its predecessor waits for it', async () => {
    const to = freshAddress()
    const nonce = await wallet.getNonce()
    const populated = await wallet.populateTransaction({ to, value: 1n, nonce })
    const [first, second] = await Promise.all(
      [nonce, nonce + 1].map((n) => wallet.signTransaction({ ...populated, nonce: n })),
    )
    const late = await provider.broadcastTransaction(second)
    assert.equal(await provider.getTransactionReceipt(late.hash), null)
    assert.equal(await wallet.getNonce('latest'), nonce)
    await provider.broadcastTransaction(first)
    assert.equal((await late.wait()).status, 1)
    assert.equal(await provider.getBalance(to), 2n)
  })

  test('an unknown transaction is null', async () => {
    assert.equal(await provider.getTransaction(ethers.ZeroHash), null)
    assert.equal(await provider.getTransactionReceipt(ethers.ZeroHash), null)
  })
})

describe('blocks and fees', SUITE, () => {
  test('getFeeData', async () => {
    const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData()
    assert.ok(gasPrice > 0n)
    assert.ok(maxFeePerGas >= maxPriorityFeePerGas)
  })

  test('getBlock by tag, number and hash', async () => {
    const receipt = await mined(wallet.sendTransaction({ to: freshAddress(), value: 1n }))
    const block = await provider.getBlock(receipt.blockNumber)
    assert.equal(block.number, receipt.blockNumber)
    assert.equal(block.hash, receipt.blockHash)
    assert.ok(block.transactions.includes(receipt.hash))
    assert.equal(block.transactions[receipt.index], receipt.hash)
    assert.ok(block.gasUsed >= receipt.gasUsed && block.gasUsed <= block.gasLimit)
    assert.equal((await provider.getBlock(block.hash)).number, block.number)
    const latest = await provider.getBlock('latest')
    assert.ok(latest.number >= block.number)
    assert.ok(latest.timestamp >= block.timestamp)
    const parent = await provider.getBlock(block.parentHash)
    assert.equal(parent.number, block.number - 1)
    assert.ok(parent.timestamp <= block.timestamp)
    const full = await provider.getBlock(block.number, true)
    assert.equal(full.prefetchedTransactions[receipt.index].hash, receipt.hash)
    assert.equal((await provider.getBlock('earliest')).number, 0)
    for (const tag of ['safe', 'finalized']) assert.ok((await provider.getBlock(tag)).number <= latest.number)
    assert.equal(await provider.getBlock(latest.number + 1_000_000), null)
    assert.equal(await provider.getBlock(ethers.id('no such block')), null)
  })
})

const min = (a, b) => (a < b ? a : b)

/** The hash of the signed transaction that the fields in `found` make up. */
function signedHash(found) {
  const { type, to, data, value, nonce, gasLimit, gasPrice, maxFeePerGas, maxPriorityFeePerGas } = found
  const { chainId, accessList, signature } = found
  const fees = type === 2 ? { maxFeePerGas, maxPriorityFeePerGas } : { gasPrice }
  const list = type === 0 ? {} : { accessList }
  const fields = { type, to, data, value, nonce, gasLimit, chainId, signature, ...fees, ...list }
  return ethers.Transaction.from(fields).hash
}

/** Whether the 2048-bit bloom filter has the three bits of `item` set (Yellow Paper, M3:2048). */
function inBloom(bloom, item) {
  const hash = ethers.getBytes(ethers.keccak256(item))
  const bits = ethers.getBytes(bloom)
  return [0, 2, 4].every((i) => {
    const bit = ((hash[i] << 8) | hash[i + 1]) & 2047
    return (bits[255 - (bit >> 3)] >> (bit & 7)) & 1
  })
}
