import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { network } from 'hardhat'

describe('Bank', () => {
  let viem, coin, bank, owner, other
  const mined = async (hash) => (await viem.getPublicClient()).waitForTransactionReceipt({ hash: await hash })

  before(async () => {
    ;({ viem } = await network.create())
    ;[owner, other] = await viem.getWalletClients()
    coin = await viem.deployContract('Coin', [1_000n])
    bank = await viem.deployContract('Bank', [coin.address])
  })

  test('a deposit moves coins, and says so', async () => {
    await mined(coin.write.approve([bank.address, 300n]))
    const receipt = await mined(bank.write.deposit([300n]))
    assert.equal(receipt.status, 'success')
    assert.equal(await coin.read.balanceOf([bank.address]), 300n)
    const [event] = await bank.getEvents.Deposited({ who: owner.account.address }, { blockHash: receipt.blockHash })
    assert.equal(event.args.amount, 300n)
  })

  test('a withdrawal gives back, to the depositor only', async () => {
    await mined(bank.write.withdraw([100n]))
    assert.equal(await bank.read.deposits([owner.account.address]), 200n)
    assert.equal(await coin.read.balanceOf([owner.account.address]), 800n)
    await assert.rejects(bank.write.withdraw([1n], { account: other.account }), /NotYours\(uint256 asked, uint256 yours\)/)
  })

  test('several accounts send at once', async () => {
    const wallets = (await viem.getWalletClients()).slice(1, 5)
    for (const { account } of wallets) await mined(coin.write.transfer([account.address, 10n]))
    await Promise.all(wallets.map(({ account }) => mined(coin.write.approve([bank.address, 10n], { account }))))
    await Promise.all(wallets.map(({ account }) => mined(bank.write.deposit([10n], { account }))))
    assert.equal(await coin.read.balanceOf([bank.address]), 240n)
  })
})
