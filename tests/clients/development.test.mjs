// What test suites do to a development chain, by viem's test client and ethers' signer without a key. Everything is undone.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { RPC_URL, SUITE, artifact, ethers, freshAddress, rpc, viem } from './lib/env.mjs'

const ETHER = 10n ** 18n

const chain = viem.defineChain({
  id: Number(await rpc('eth_chainId')),
  name: 'node under test',
  nativeCurrency: { name: 'SOL', symbol: 'SOL', decimals: 18 },
  rpcUrls: { default: { http: [RPC_URL] } },
})
const options = { chain, transport: viem.http(RPC_URL, { retryCount: 0 }), pollingInterval: 100, cacheTime: 0 }
const client = viem.createPublicClient(options)
const wallet = viem.createWalletClient(options)
const newestTime = async () => (await client.getBlock()).timestamp
const [first] = await wallet.getAddresses()

for (const mode of ['anvil', 'hardhat']) {
  const chainOf = viem.createTestClient({ ...options, mode })

  describe(`viem's test client, as of ${mode}`, SUITE, () => {
    let begin
    before(async () => {
      begin = await chainOf.snapshot()
    })
    after(async () => {
      await chainOf.setAutomine(true)
      await chainOf.revert({ id: begin })
    })

    test('a snapshot undoes what came after it', async () => {
      const to = freshAddress()
      const [height, id] = [await client.getBlockNumber(), await chainOf.snapshot()]
      const hash = await wallet.sendTransaction({ account: first, to, value: ETHER })
      assert.equal((await client.waitForTransactionReceipt({ hash })).status, 'success')
      assert.equal(await client.getBalance({ address: to }), ETHER)
      await chainOf.revert({ id })
      assert.equal(await client.getBalance({ address: to }), 0n)
      assert.equal(await client.getBlockNumber(), height)
    })

    test('blocks and their times', async () => {
      const [height, time] = [await client.getBlockNumber(), await newestTime()]
      await chainOf.increaseTime({ seconds: 3_600 })
      await chainOf.mine({ blocks: 1 })
      assert.ok((await newestTime()) >= time + 3_600n)
      const next = (await newestTime()) + 86_400n
      await chainOf.setNextBlockTimestamp({ timestamp: next })
      await chainOf.mine({ blocks: 1 })
      assert.equal(await newestTime(), next)
      await chainOf.mine({ blocks: 5, interval: 60 })
      // The first of them comes when it is made.
      const last = await newestTime()
      assert.ok(last >= next + 240n && last < next + 300n, `${last - next}`)
      assert.equal(await client.getBlockNumber(), height + 7n)
    })

    test('transactions that wait share a block', async () => {
      await chainOf.setAutomine(false)
      const to = freshAddress()
      const send = () => wallet.sendTransaction({ account: first, to, value: 1n })
      const hashes = [await send(), await send(), await send()]
      assert.equal(await client.getBalance({ address: to }), 0n)
      await chainOf.mine({ blocks: 1 })
      await chainOf.setAutomine(true)
      const { transactions } = await client.getBlock()
      assert.deepEqual(transactions, hashes)
      assert.equal(await client.getBalance({ address: to }), 3n)
    })

    test('state and senders out of nowhere', async () => {
      const [address, to] = [freshAddress(), freshAddress()]
      await chainOf.setBalance({ address, value: 10n * ETHER })
      await chainOf.impersonateAccount({ address })
      const hash = await wallet.sendTransaction({ account: address, to, value: ETHER })
      const receipt = await client.waitForTransactionReceipt({ hash })
      assert.deepEqual([receipt.status, receipt.from], ['success', address.toLowerCase()])
      await chainOf.stopImpersonatingAccount({ address })
      await assert.rejects(wallet.sendTransaction({ account: address, to, value: ETHER }))
      // A token at an address of choice, which nobody has any of.
      const { abi } = artifact('Token')
      const code = await client.getCode({ address: await deployedToken() })
      await chainOf.setCode({ address: to, bytecode: code })
      await chainOf.setNonce({ address: first, nonce: 1_000 })
      assert.equal(await client.getTransactionCount({ address: first }), 1_000)
      assert.equal(await client.readContract({ address: to, abi, functionName: 'totalSupply' }), 0n)
    })
  })
}

async function deployedToken() {
  const { abi, bytecode } = artifact('Token')
  const hash = await wallet.deployContract({ account: first, abi, bytecode, args: [1n] })
  return (await client.waitForTransactionReceipt({ hash })).contractAddress
}

describe("ethers' signer of the node", SUITE, () => {
  test('sends, and signs messages and typed data', async () => {
    const provider = new ethers.JsonRpcProvider(RPC_URL, undefined, { cacheTimeout: -1 })
    const begin = await rpc('evm_snapshot')
    try {
      const signer = await provider.getSigner(1)
      const address = await signer.getAddress()
      const to = freshAddress()
      const receipt = await (await signer.sendTransaction({ to, value: ETHER })).wait()
      assert.deepEqual([receipt.status, receipt.from], [1, address])
      assert.equal(ethers.verifyMessage('hello', await signer.signMessage('hello')), address)
      const types = { Note: [{ name: 'text', type: 'string' }, { name: 'to', type: 'address' }] }
      const [domain, note] = [{ name: 'Notes', chainId: chain.id }, { text: 'hello', to }]
      const signature = await signer.signTypedData(domain, types, note)
      assert.equal(ethers.verifyTypedData(domain, types, note, signature), address)
    } finally {
      await rpc('evm_revert', begin)
      provider.destroy()
    }
  })
})
