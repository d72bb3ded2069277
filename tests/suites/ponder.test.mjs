// Ponder: indexes an ERC-20 that is in use, and its API tells the balances that the token tells.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { RPC_URL, account, artifact, ethers, eventually, freshAddress, rpc } from '../clients/lib/env.mjs'
import { freePort } from '../clients/lib/node.mjs'
import { Project } from './lib/project.mjs'
import { startService } from './lib/service.mjs'

const SUITE = { timeout: 240_000 }
const READY_LIMIT_MS = 120_000
const INDEXED_LIMIT_MS = 30_000

const SUPPLY = 10n ** 24n

const project = new Project('ponder').open()
const provider = new ethers.JsonRpcProvider(RPC_URL, undefined, { cacheTimeout: -1, pollingInterval: 100 })
// Suites run one after the other: each may use any account.
const wallet = new ethers.Wallet(account(0).privateKey, provider)

describe('Ponder', SUITE, () => {
  const holders = Array.from({ length: 4 }, freshAddress)
  const sent = []
  let token, ponder, api

  async function transfer(to, value) {
    const receipt = await (await token.transfer(to, value)).wait()
    sent.push({ to: to.toLowerCase(), value: `${value}`, transaction: receipt.hash, block: `${receipt.blockNumber}` })
  }

  before(async () => {
    const { abi, bytecode } = artifact('Token')
    token = await (await new ethers.ContractFactory(abi, bytecode, wallet).deploy(SUPPLY)).waitForDeployment()
    for (const [i, holder] of holders.entries()) await transfer(holder, BigInt(i + 1))
    const { blockNumber } = await token.deploymentTransaction().wait()
    ;({ ponder, api } = await index(await token.getAddress(), blockNumber))
  })
  after(async () => {
    await ponder?.stop()
    provider.destroy()
    project.remove()
  })

  test('knows the transfers from before its start', async () => {
    await indexed(sent.length)
    assert.deepEqual(await transfers(), sent)
  })

  test('follows transfers while it runs', async () => {
    for (const [i, holder] of holders.entries()) await transfer(holder, 100n * BigInt(i + 1))
    await indexed(sent.length)
    assert.deepEqual(await transfers(), sent)
  })

  test('has the balances that the token has', async () => {
    const { accounts } = await ask('{ accounts(limit: 100) { items { address balance } } }')
    const told = Object.fromEntries(accounts.items.map(({ address, balance }) => [address, balance]))
    const addresses = [wallet.address, ...holders]
    const balances = await Promise.all(addresses.map((address) => token.balanceOf(address)))
    const expected = addresses.map((address, i) => [address.toLowerCase(), `${balances[i]}`])
    assert.deepEqual(told, Object.fromEntries(expected))
  })

  /** Starts Ponder with a database of its own, and waits until it has read the past. */
  async function index(address, startBlock) {
    const port = await freePort()
    const env = {
      ...process.env,
      PARHELION_RPC_URL: RPC_URL,
      PARHELION_CHAIN_ID: `${BigInt(await rpc('eth_chainId'))}`,
      PARHELION_TOKEN: address,
      PARHELION_START_BLOCK: `${startBlock}`,
      PONDER_TELEMETRY_DISABLED: '1',
      NO_COLOR: '1',
    }
    const args = [project.module('ponder/dist/esm/bin/ponder.js'), 'start', '--schema', 'suite']
    const listen = ['--hostname', '127.0.0.1', '--port', `${port}`]
    const url = `http://127.0.0.1:${port}`
    const options = { cwd: project.root, env, url: `${url}/ready`, limitMs: READY_LIMIT_MS }
    return { ponder: await startService(process.execPath, [...args, ...listen], options), api: `${url}/graphql` }
  }

  async function ask(query) {
    const headers = { 'content-type': 'application/json' }
    const signal = AbortSignal.timeout(5_000)
    const response = await fetch(api, { method: 'POST', headers, body: JSON.stringify({ query }), signal })
    const { data, errors } = await response.json()
    assert.equal(errors, undefined, ponder.log())
    return data
  }

  /** What was transferred by the deployer, in the order of blocks. */
  async function transfers() {
    const range = `where: { from: "${wallet.address.toLowerCase()}" }, orderBy: "block", limit: 100`
    return (await ask(`{ transfers(${range}) { items { to value transaction block } } }`)).transfers.items
  }

  const indexed = (count) =>
    eventually(`${count} transfers`, async () => ((await transfers()).length >= count ? true : undefined), INDEXED_LIMIT_MS)
})
