// forge and cast: deploy an OpenZeppelin ERC-20, use it, and look at everything that happened.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ACCOUNT, SUITE, account, ethers, freshAddress, rpc } from './lib/env.mjs'
import { broadcast, cast, castFailure, castJson, forge, project } from './lib/foundry.mjs'

const SUPPLY = 10n ** 24n
const TRANSFER_TOPIC = ethers.id('Transfer(address,address,uint256)')

const deployer = account(ACCOUNT.foundry)
const signed = ['--private-key', deployer.privateKey]

// One for the file: what forge has compiled once it has.
let scratch
before(() => {
  scratch = project()
})
after(() => scratch.remove())

const padded = (address) => ethers.zeroPadValue(address, 32).toLowerCase()

describe('cast: the chain and its accounts', SUITE, () => {
  test('chain-id and block-number', async () => {
    assert.equal(BigInt(await cast('chain-id')), BigInt(await rpc('eth_chainId')))
    const before = BigInt(await rpc('eth_blockNumber'))
    assert.ok(BigInt(await cast('block-number')) >= before)
  })

  test('balance, nonce and code of an account', async () => {
    assert.ok(BigInt(await cast('balance', deployer.address)) > 10n ** 18n)
    assert.equal(await cast('balance', freshAddress()), '0')
    assert.equal(BigInt(await cast('nonce', deployer.address)), BigInt(await nonceByRpc(deployer.address)))
    assert.equal(await cast('code', freshAddress()), '0x')
  })

  test('gas-price and base-fee', async () => {
    assert.ok(BigInt(await cast('gas-price')) > 0n)
    assert.ok(BigInt(await cast('base-fee')) >= 0n)
  })

  test('send value to a fresh address', async () => {
    const to = freshAddress()
    const nonce = BigInt(await cast('nonce', deployer.address))
    const estimate = BigInt(await cast('estimate', to, '--value', '1ether', '--from', deployer.address))
    // More than 21,000 where the node charges for the new account's state.
    assert.ok(estimate >= 21_000n)
    const receipt = await castJson('send', to, '--value', '1ether', ...signed)
    assert.equal(BigInt(receipt.status), 1n)
    assert.ok(BigInt(receipt.gasUsed) <= estimate)
    assert.equal(await cast('balance', to), `${10n ** 18n}`)
    assert.equal(await cast('balance', to, '--ether'), '1.000000000000000000')
    assert.equal(BigInt(await cast('nonce', deployer.address)), nonce + 1n)
  })

  test('send with a legacy gas price', async () => {
    const to = freshAddress()
    const receipt = await castJson('send', to, '--value', '1', '--legacy', ...signed)
    assert.equal(BigInt(receipt.status), 1n)
    assert.equal(BigInt(receipt.type), 0n)
    assert.equal(await cast('balance', to), '1')
  })

  test('block, by number and by hash', async () => {
    const latest = await castJson('block', 'latest')
    assert.match(latest.hash, /^0x[0-9a-f]{64}$/)
    const byNumber = await castJson('block', `${BigInt(latest.number)}`)
    assert.equal(byNumber.hash, latest.hash)
    assert.equal(BigInt((await castJson('block', latest.hash)).number), BigInt(latest.number))
    assert.equal(await cast('block', latest.hash, '--field', 'hash'), latest.hash)
  })
})

describe('forge create: an ERC-20 of OpenZeppelin', SUITE, () => {
  let token, deployment, transfer
  const holder = freshAddress()

  before(async () => {
    const args = ['create', 'src/Token.sol:Token', '--broadcast', '--json', ...signed]
    deployment = JSON.parse(await forge(scratch.root, ...args, '--constructor-args', `${SUPPLY}`))
    token = deployment.deployedTo
    transfer = await castJson('send', token, 'transfer(address,uint256)', holder, '250', ...signed)
  })

  test('the deployment has a receipt and code', async () => {
    assert.equal(ethers.getAddress(deployment.deployer), deployer.address)
    const receipt = await castJson('receipt', deployment.transactionHash)
    assert.equal(BigInt(receipt.status), 1n)
    assert.equal(ethers.getAddress(receipt.contractAddress), ethers.getAddress(token))
    assert.equal(receipt.to, null)
    const code = await cast('code', token)
    assert.ok(code.length > 2_000, `${code.length} hexadecimal digits of code`)
    assert.equal(BigInt(await cast('codesize', token)), BigInt(ethers.dataLength(code)))
  })

  test('call name, symbol, decimals and totalSupply', async () => {
    assert.equal(await cast('call', token, 'name()(string)'), '"Parhelion Test Token"')
    assert.equal(await cast('call', token, 'symbol()(string)'), '"PTT"')
    assert.equal(await cast('call', token, 'decimals()(uint8)'), '18')
    assert.equal(BigInt(await cast('call', token, 'totalSupply()')), SUPPLY)
  })

  test('send transfer moved the tokens', async () => {
    assert.equal(BigInt(transfer.status), 1n)
    assert.equal(BigInt(await balanceOf(holder)), 250n)
    assert.equal(BigInt(await balanceOf(deployer.address)), SUPPLY - 250n)
  })

  test('storage shows the balance and the supply', async () => {
    const slot = await cast('index', 'address', holder, '0')
    assert.equal(BigInt(await cast('storage', token, slot)), 250n)
    assert.equal(BigInt(await cast('storage', token, '2')), SUPPLY)
    assert.equal(BigInt(await cast('storage', token, '77')), 0n)
  })

  test('receipt and tx of the transfer', async () => {
    const hash = transfer.transactionHash
    const receipt = await castJson('receipt', hash)
    assert.equal(receipt.blockHash, transfer.blockHash)
    assert.equal(ethers.getAddress(receipt.from), deployer.address)
    assert.equal(receipt.logs.length, 1)
    assert.deepEqual(receipt.logs[0].topics, [TRANSFER_TOPIC, padded(deployer.address), padded(holder)])
    assert.equal(await cast('receipt', hash, 'status'), 'true')

    const tx = await castJson('tx', hash)
    assert.equal(tx.hash, hash)
    assert.equal(ethers.getAddress(tx.to), ethers.getAddress(token))
    assert.equal(tx.blockHash, receipt.blockHash)
    const calldata = await cast('calldata', 'transfer(address,uint256)', holder, '250')
    assert.equal(await cast('tx', hash, 'input'), calldata)
    const raw = await cast('tx', hash, '--raw')
    assert.equal(ethers.keccak256(raw), hash)
  })

  test('logs by address and topic', async () => {
    const from = `${BigInt(transfer.blockNumber)}`
    const range = ['--from-block', from, '--to-block', 'latest', '--address', token]
    const bySignature = await castJson('logs', ...range, 'Transfer(address indexed,address indexed,uint256)')
    const byTopics = await castJson('logs', ...range, TRANSFER_TOPIC, '', padded(holder))
    for (const found of [bySignature, byTopics]) {
      const ours = found.filter((log) => log.transactionHash === transfer.transactionHash)
      assert.equal(ours.length, 1)
      assert.equal(BigInt(ours[0].data), 250n)
      assert.equal(ours[0].removed, false)
    }
    const nobody = await castJson('logs', ...range, TRANSFER_TOPIC, '', padded(freshAddress()))
    assert.deepEqual(nobody, [])
  })

  test('estimate, and a send that stays within it', async () => {
    const call = [token, 'transfer(address,uint256)', freshAddress(), '7']
    const estimate = BigInt(await cast('estimate', ...call, '--from', deployer.address))
    assert.ok(estimate > 21_000n)
    const receipt = await castJson('send', ...call, ...signed)
    assert.equal(BigInt(receipt.status), 1n)
    assert.ok(BigInt(receipt.gasUsed) <= estimate, `used ${BigInt(receipt.gasUsed)} of ${estimate}`)
  })

  test('a transfer that reverts is shown with its custom error, and is not sent', async () => {
    const poor = freshAddress()
    const call = [token, 'transfer(address,uint256)', holder, '1']
    const complaint = await castFailure('call', ...call, '--from', poor)
    const selector = ethers.id('ERC20InsufficientBalance(address,uint256,uint256)').slice(0, 10)
    assert.match(complaint, /execution reverted/)
    assert.match(complaint, new RegExp(`${selector}|ERC20InsufficientBalance`))

    const nonce = await nonceByRpc(deployer.address)
    await castFailure('send', token, 'transfer(address,uint256)', holder, `${SUPPLY * 2n}`, ...signed)
    assert.equal(await nonceByRpc(deployer.address), nonce)
  })

  test('send --create deploys initialisation code', async () => {
    // Returns one byte of code, 0x00 (STOP): PUSH1 1 PUSH0 RETURN.
    const receipt = await castJson('send', ...signed, '--create', '0x60015ff3')
    assert.equal(BigInt(receipt.status), 1n)
    assert.equal(await cast('code', receipt.contractAddress), '0x00')
  })

  const balanceOf = (address) => cast('call', token, 'balanceOf(address)', address)
})

/**
 * forge takes the gas of a script's transactions from its own EVM, times 1.3, and asks the node only with
 * `--skip-simulation`. It knows nothing of rent gas, so where a node charges for state people have to give much more:
 * the rent of a contract of 5 KB is some forty times what its deployment costs in the EVM.
 */
const FOR_RENT = ['--gas-estimate-multiplier', '6000']

const scriptOptions = async () => [...signed, ...((await chargesForState()) ? FOR_RENT : [])]

describe('forge script --broadcast', SUITE, () => {
  let deployment, token, counter
  before(async () => {
    deployment = await broadcast(scratch.root, 'Deploy', 'run()', [], await scriptOptions())
    ;[token, counter] = deployment.transactions.map(({ contractAddress }) => ethers.getAddress(contractAddress))
  })

  const balanceOf = async (address) => BigInt(await cast('call', token, 'balanceOf(address)', address))

  test('two deployments and a call, with receipts as the node has them', async () => {
    const { transactions, receipts } = deployment
    assert.deepEqual(transactions.map(({ transactionType }) => transactionType), ['CREATE', 'CREATE', 'CALL'])
    assert.deepEqual(transactions.map(({ contractName }) => contractName), ['Token', 'Counter', 'Counter'])
    assert.equal(receipts.length, 3)
    // By their own hashes: forge sends all at once, and may write the hash of one transaction beside another.
    for (const receipt of receipts) {
      assert.equal(BigInt(receipt.status), 1n)
      const told = await rpc('eth_getTransactionReceipt', receipt.transactionHash)
      assert.equal(receipt.blockHash, told.blockHash)
      assert.equal(receipt.contractAddress, told.contractAddress)
      assert.equal(BigInt(receipt.gasUsed), BigInt(told.gasUsed))
      assert.equal(BigInt(told.type), 2n)
      assert.equal(receipt.logs.length, told.logs.length)
    }
    const created = receipts.map(({ contractAddress }) => contractAddress).filter((address) => address !== null)
    assert.deepEqual(new Set(created.map(ethers.getAddress)), new Set([token, counter]))
    assert.deepEqual(deployment.pending, [])
  })

  test('what the script returned is on the chain', async () => {
    assert.equal(ethers.getAddress(deployment.returns.token.value), token)
    assert.equal(ethers.getAddress(deployment.returns.counter.value), counter)
    assert.equal(await balanceOf(deployer.address), SUPPLY)
    assert.equal(await cast('call', counter, 'count()(uint256)'), '3')
  })

  test('several transactions of one sender, without waiting for each', async () => {
    const receivers = Array.from({ length: 6 }, freshAddress)
    const nonce = BigInt(await nonceByRpc(deployer.address))
    const args = [token, `[${receivers.join(',')}]`]
    const options = await scriptOptions()
    const { transactions, receipts } = await broadcast(scratch.root, 'Deploy', 'pay(address,address[])', args, options)
    const nonces = transactions.map(({ transaction }) => BigInt(transaction.nonce))
    assert.deepEqual(nonces, receivers.map((_, i) => nonce + BigInt(i)))
    assert.equal(receipts.length, receivers.length)
    assert.ok(receipts.every(({ status }) => BigInt(status) === 1n))
    assert.deepEqual(await Promise.all(receivers.map(balanceOf)), receivers.map((_, i) => BigInt(i + 1)))
    assert.equal(BigInt(await nonceByRpc(deployer.address)), nonce + BigInt(receivers.length))
  })

  test('a script that fails sends nothing', async () => {
    const nonce = await nonceByRpc(deployer.address)
    const attempt = broadcast(scratch.root, 'Deploy', 'fail(address)', [counter], signed)
    await assert.rejects(attempt, /Forbidden/)
    assert.equal(await nonceByRpc(deployer.address), nonce)
    assert.equal(await cast('call', counter, 'count()(uint256)'), '3')
  })

  test('with the gas of its own EVM, a deployment is refused where state costs rent', async () => {
    const nonce = await nonceByRpc(deployer.address)
    const attempt = broadcast(scratch.root, 'Deploy', 'run()', [], signed)
    if (!(await chargesForState())) return assert.equal((await attempt).receipts.length, 3)
    await assert.rejects(attempt, /out of rent gas/)
    assert.equal(await nonceByRpc(deployer.address), nonce)
  })
})

/** Whether the first payment to an address costs more than Ethereum's 21,000. */
async function chargesForState() {
  const payment = [freshAddress(), '--value', '1', '--from', deployer.address]
  return BigInt(await cast('estimate', ...payment)) > 21_000n
}

const nonceByRpc = (address) => rpc('eth_getTransactionCount', address, 'latest')
