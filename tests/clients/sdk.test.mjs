// The examples of sdk/examples and the command `parhelion withdraw`, run as their documentation says.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { ACCOUNT, BINARY, RPC_URL, SUITE, account, artifact, ethers, freshAddress, rpc } from './lib/env.mjs'

const run = promisify(execFile)
const WEI_PER_LAMPORT = 10n ** 9n
const SOL = 10n ** 9n

const sender = account(ACCOUNT.sdk)
/** Cargo puts examples beside the binary. */
const example = (name) => path.join(path.dirname(BINARY ?? ''), 'examples', name)
const skip = !BINARY ? 'no --binary' : fs.existsSync(example('withdraw')) ? false : 'the examples are not built'

/** Bitcoin's base 58 without leading zeros: a random key has none. */
const freshPayee = () => ethers.encodeBase58(Buffer.concat([Buffer.from([1]), crypto.randomBytes(31)]))
const balance = async () => BigInt(await rpc('eth_getBalance', sender.address, 'latest'))

/** Runs a program and gives what it printed. */
async function succeed(program, args, env = {}) {
  const { stdout } = await run(program, args, { env: { ...process.env, RUST_BACKTRACE: '0', ...env } })
  return stdout
}

/** Runs a program that must fail, and gives what it said. */
async function fail(program, args, env = {}) {
  const result = await succeed(program, args, env).then((stdout) => ({ stdout }), (error) => error)
  assert.equal(result.code, 1, `${program} ${args.join(' ')}: ${result.stdout}`)
  return result.stderr.trim()
}

/** What a withdrawal took from the sender, less the fee of the transaction that it printed. */
async function withdrawn(action) {
  const earlier = await balance()
  const hash = (await action()).match(/0x[0-9a-f]{64}/)[0]
  const receipt = await rpc('eth_getTransactionReceipt', hash)
  assert.equal(receipt.status, '0x1')
  return earlier - (await balance()) - BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice)
}

describe('parhelion withdraw', { ...SUITE, skip }, () => {
  const withdraw = (to, lamports, key = sender.privateKey) =>
    ['withdraw', '--rpc-url', RPC_URL, '--private-key', key, '--to', to, '--lamports', `${lamports}`]

  test('pays a fresh Solana account, and then the same one little', async () => {
    const payee = freshPayee()
    for (const lamports of [SOL, 7n]) {
      const paid = await withdrawn(async () => {
        const output = await succeed(BINARY, withdraw(payee, lamports))
        const [sent, withdrew] = output.trim().split('\n')
        assert.match(sent, /^sent {6}0x[0-9a-f]{64}$/)
        assert.match(withdrew, new RegExp(`^withdrew {2}${lamports} lamports to ${payee} in Solana transaction \\w{80,}$`))
        return output
      })
      assert.equal(paid, lamports * WEI_PER_LAMPORT)
    }
  })

  test('takes url and key from the environment', async () => {
    const env = { PARHELION_RPC_URL: RPC_URL, PARHELION_PRIVATE_KEY: sender.privateKey }
    const args = ['withdraw', '--to', freshPayee(), '--lamports', `${SOL}`]
    assert.equal(await withdrawn(() => succeed(BINARY, args, env)), SOL * WEI_PER_LAMPORT)
  })

  test('says why not, in one line, and takes nothing', async () => {
    const earlier = await balance()
    const would = 'error: the withdrawal would fail: is the balance enough, and can the Solana account take it?: '
    const poor = ethers.Wallet.createRandom().privateKey
    for (const [args, text] of [
      [withdraw(freshPayee(), 5), `${would}execution reverted`], // not rent-exempt
      [withdraw(freshPayee(), 0), `${would}execution reverted`],
      [withdraw(freshPayee(), SOL, poor), `${would}insufficient funds for gas * price + value`],
    ]) {
      assert.equal(await fail(BINARY, args), text)
    }
    assert.equal(await balance(), earlier)
    const nowhere = withdraw(freshPayee(), SOL).map((word) => (word === RPC_URL ? 'http://127.0.0.1:1' : word))
    assert.match(await fail(BINARY, nowhere), /^error: the node does not answer; check --rpc-url: /)
  })
})

describe('sdk/examples', { ...SUITE, skip }, () => {
  const folder = skip ? '' : fs.mkdtempSync(path.join(os.tmpdir(), 'parhelion-sdk-'))
  let token

  before(async () => {
    if (skip) return
    const wallet = new ethers.Wallet(sender.privateKey, new ethers.JsonRpcProvider(RPC_URL))
    const { abi, bytecode } = artifact('Token')
    const factory = new ethers.ContractFactory(abi, bytecode, wallet)
    token = await (await factory.deploy(10n ** 24n)).waitForDeployment()
  })
  after(() => {
    token?.runner.provider.destroy()
    if (folder) fs.rmSync(folder, { recursive: true })
  })

  test('withdraw', async () => {
    const payee = freshPayee()
    const paid = await withdrawn(async () => {
      const output = await succeed(example('withdraw'), [RPC_URL, sender.privateKey, payee, `${SOL}`])
      assert.match(output, new RegExp(`^transaction "0x[0-9a-f]{64}": ${SOL} lamports paid to ${payee}\n$`))
      return output
    })
    assert.equal(paid, SOL * WEI_PER_LAMPORT)
    const refused = await fail(example('withdraw'), [RPC_URL, sender.privateKey, freshPayee(), '5'])
    assert.equal(refused, 'Error: the node refused eth_estimateGas: execution reverted')
  })

  test('erc20_transfer', async () => {
    const recipient = freshAddress()
    const address = await token.getAddress()
    for (const [amount, sum] of [['1000', 1000n], ['234', 1234n]]) {
      const output = await succeed(example('erc20_transfer'), [RPC_URL, sender.privateKey, address, recipient, amount])
      assert.match(output, new RegExp(`^transaction "0x[0-9a-f]{64}": ${recipient} now has ${sum}\n$`))
      assert.equal(await token.balanceOf(recipient), sum)
    }
    const tooMuch = [RPC_URL, sender.privateKey, address, recipient, `${10n ** 30n}`]
    assert.match(await fail(example('erc20_transfer'), tooMuch), /^Error: the node refused eth_estimateGas: execution reverted/)
  })

  test('deposit needs a Solana cluster, and says so to somebody who has none', async () => {
    const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519')
    const last = (key, type) => key.export({ format: 'der', type }).subarray(-32)
    const file = path.join(folder, 'key.json')
    fs.writeFileSync(file, JSON.stringify([...last(privateKey, 'pkcs8'), ...last(publicKey, 'spki')]))
    const says = /rror: the Solana cluster does not answer: [^\n]*; check the RPC URL and try again$/
    const program = freshPayee()
    assert.match(await fail(example('deposit'), [RPC_URL, program, file, sender.address, '5']), says)
    const args = ['deposit', '--solana-url', RPC_URL, '--program-id', program, '--keypair', file]
    assert.match(await fail(BINARY, [...args, '--to', sender.address, '--lamports', '5']), says)
  })

  test('without arguments each says how it is used', async () => {
    for (const [name, usage] of [
      ['deposit', 'SOLANA_URL PROGRAM_ID KEYPAIR_FILE ETHEREUM_ADDRESS LAMPORTS'],
      ['withdraw', 'ETHEREUM_URL PRIVATE_KEY SOLANA_ADDRESS LAMPORTS'],
      ['erc20_transfer', 'ETHEREUM_URL PRIVATE_KEY TOKEN RECIPIENT AMOUNT'],
    ]) {
      assert.equal(await fail(example(name), []), `Error: usage: ${name} ${usage}`)
    }
  })
})
