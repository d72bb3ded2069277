// Sums: every balance is accounted for to the last wei. What a sender loses is the value that it sent and
// gasUsed * effectiveGasPrice, nothing else (where a node charges for state, that is part of gasUsed).

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ACCOUNT, RPC_URL, SUITE, account, artifact, ethers, freshAddress, rpc } from './lib/env.mjs'

const GAS_FOR_A_REVERT = 1_000_000n // see ethers.test.mjs

const provider = new ethers.JsonRpcProvider(RPC_URL, undefined, { cacheTimeout: -1, pollingInterval: 100 })
const wallet = new ethers.Wallet(account(ACCOUNT.values).privateKey, provider)
const self = wallet.address

after(() => provider.destroy())

/** Sends and waits; returns the receipt, also of a transaction that failed. */
async function mine(request) {
  const { hash } = await wallet.sendTransaction(request)
  return provider.waitForTransaction(hash)
}

/**
 * Runs `act`, which returns the receipt of one transaction of `self`, and checks that the balances changed by
 * exactly `changes` (address to wei), with the fee taken from `self`.
 */
async function expectChanges(changes, act) {
  const addresses = [...new Set([self, ...Object.keys(changes)])]
  const balances = () => Promise.all(addresses.map((address) => provider.getBalance(address)))
  const start = await balances()
  const receipt = await act()
  const end = await balances()
  const fee = receipt.gasUsed * receipt.gasPrice // ethers names the effectiveGasPrice so
  for (const [i, address] of addresses.entries()) {
    const expected = (changes[address] ?? 0n) - (address === self ? fee : 0n)
    assert.equal(end[i] - start[i], expected, `${address} changed by ${end[i] - start[i]}, fee ${fee}`)
  }
  return receipt
}

describe('value transfers', SUITE, () => {
  for (const value of [0n, 1n, 999_999_999n, 1_000_000_000n, 1_234_567_890_123_456_789n]) {
    test(`${value} wei to a fresh address, and again`, async () => {
      const to = freshAddress()
      for (let round = 0; round < 2; round++) {
        const receipt = await expectChanges({ [to]: value, [self]: -value }, () => mine({ to, value }))
        assert.equal(receipt.status, 1)
      }
    })
  }

  test('to an existing address costs 21,000 gas', async () => {
    const to = account(ACCOUNT.foundry).address
    const receipt = await mine({ to, value: 1n })
    assert.equal(receipt.gasUsed, 21_000n)
  })

  test('to oneself', async () => {
    const receipt = await expectChanges({}, () => mine({ to: self, value: 10n ** 18n }))
    assert.equal(receipt.gasUsed, 21_000n)
  })

  test('each type pays its effective price', async () => {
    const to = freshAddress()
    const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData()
    const fees = [
      { type: 0, gasPrice: gasPrice + 7n },
      { type: 1, gasPrice: gasPrice + 11n },
      { type: 2, maxFeePerGas, maxPriorityFeePerGas: maxPriorityFeePerGas + 1n },
      { type: 2, maxFeePerGas: maxFeePerGas * 50n, maxPriorityFeePerGas: 0n },
    ]
    for (const fee of fees) {
      const receipt = await expectChanges({ [to]: 3n, [self]: -3n }, () => mine({ ...fee, to, value: 3n }))
      const { baseFeePerGas } = await provider.getBlock(receipt.blockNumber)
      const tip = (price) => (price < fee.maxFeePerGas ? price : fee.maxFeePerGas)
      const expected = fee.gasPrice ?? tip(baseFeePerGas + fee.maxPriorityFeePerGas)
      assert.equal(receipt.gasPrice, expected, `type ${fee.type}`)
    }
  })

  test('everything that is left, to the last wei', async () => {
    const leaver = ethers.Wallet.createRandom(provider)
    await mine({ to: leaver.address, value: 10n ** 18n })
    const to = self // exists, so that nothing but the intrinsic gas is due
    const { gasPrice } = await provider.getFeeData()
    const gasLimit = await provider.estimateGas({ from: leaver.address, to, value: 1n, gasPrice })
    const value = 10n ** 18n - gasLimit * gasPrice
    const sent = await leaver.sendTransaction({ type: 0, to, value, gasPrice, gasLimit })
    const receipt = await sent.wait()
    assert.equal(await provider.getBalance(leaver.address), (gasLimit - receipt.gasUsed) * gasPrice)
  })
})

describe('contracts', SUITE, () => {
  let counter, address
  before(async () => {
    const { abi, bytecode } = artifact('Counter')
    const factory = new ethers.ContractFactory(abi, bytecode, wallet)
    const request = await factory.getDeployTransaction(1n, { value: 1_000n })
    const foretold = ethers.getCreateAddress({ from: self, nonce: await wallet.getNonce() })
    const receipt = await expectChanges({ [foretold]: 1_000n, [self]: -1_000n }, () => mine(request))
    assert.equal(receipt.contractAddress, foretold)
    counter = new ethers.Contract(foretold, abi, wallet)
    address = foretold
  })

  test('value in, by receive', async () => {
    await expectChanges({ [address]: 500n, [self]: -500n }, () => mine({ to: address, value: 500n }))
  })

  test('value out, to a fresh address and to the sender', async () => {
    const to = freshAddress()
    const pay = async (receiver) => mine(await counter.pay.populateTransaction(receiver, 100n))
    await expectChanges({ [address]: -100n, [to]: 100n }, () => pay(to))
    await expectChanges({ [address]: -100n, [self]: 100n }, () => pay(self))
  })

  test('a call that writes storage pays its fee only', async () => {
    await expectChanges({ [address]: 0n }, async () => mine(await counter.increment.populateTransaction()))
    await expectChanges({ [address]: 0n }, async () => mine(await counter.increment.populateTransaction()))
  })

  test('a revert gives the value back and keeps the fee', async () => {
    const receipt = await expectChanges({ [address]: 0n }, async () => {
      const request = await counter.failWithReason.populateTransaction()
      return mine({ ...request, value: 12_345n, gasLimit: GAS_FOR_A_REVERT })
    })
    assert.equal(receipt.status, 0)
    assert.ok(receipt.gasUsed < GAS_FOR_A_REVERT)
  })

  test('running out of gas costs exactly the limit', async () => {
    const gasLimit = 60_000n
    const receipt = await expectChanges({ [address]: 0n }, async () => {
      const request = await counter.spin.populateTransaction(1_000_000n)
      return mine({ ...request, gasLimit })
    })
    assert.equal(receipt.status, 0)
    assert.equal(receipt.gasUsed, gasLimit)
  })

  test('CREATE2 with value', async () => {
    const { abi, bytecode } = artifact('Factory')
    const factory = await (await new ethers.ContractFactory(abi, bytecode, wallet).deploy()).waitForDeployment()
    const salt = ethers.hexlify(ethers.randomBytes(32))
    const child = await factory.deploy.staticCall(salt, 1n)
    const request = await factory.deploy.populateTransaction(salt, 1n, { value: 77n })
    await expectChanges({ [child]: 77n, [self]: -77n, [factory.target]: 0n }, () => mine(request))
  })

  test('an ERC-20 transfer moves no value', async () => {
    const { abi, bytecode } = artifact('Token')
    const token = await (await new ethers.ContractFactory(abi, bytecode, wallet).deploy(1_000n)).waitForDeployment()
    const to = freshAddress()
    const request = await token.transfer.populateTransaction(to, 400n)
    await expectChanges({ [token.target]: 0n, [to]: 0n }, () => mine(request))
    assert.deepEqual([await token.balanceOf(self), await token.balanceOf(to)], [600n, 400n])
  })
})

describe('a transaction that needs more work than one Solana transaction can do', SUITE, () => {
  test('is mined in several', async () => {
    const { abi, bytecode } = artifact('Counter')
    const counter = await (await new ethers.ContractFactory(abi, bytecode, wallet).deploy(1n)).waitForDeployment()
    const { hash } = await mine(await counter.spin.populateTransaction(10_000n))
    assert.notEqual(await counter.count(), 0n)
    const receipt = await rpc('eth_getTransactionReceipt', hash)
    assert.equal(receipt.status, '0x1')
    assert.ok(receipt.solanaSignatures.length > 1, `${receipt.solanaSignatures}`)
    assert.equal(receipt.solanaSignatures.at(-1), receipt.solanaSignature)
    assert.ok(BigInt(receipt.totalComputeUnits) > 1_400_000n)
  })
})

describe('history', SUITE, () => {
  test('an old block never shows a newer balance', async () => {
    const to = freshAddress()
    const old = await rpc('eth_blockNumber')
    await mine({ to, value: 9n })
    // A node without historical state has to say so; the one wrong answer is today's balance.
    const answer = await provider.send('eth_getBalance', [to, old]).catch((error) => error)
    if (answer instanceof Error) {
      const said = JSON.stringify(answer.error ?? answer.message)
      assert.match(said, /histor|state|prune|archive|not (available|supported)/i)
    } else {
      assert.equal(BigInt(answer), 0n)
    }
  })
})
