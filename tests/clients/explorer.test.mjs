// The explorer in headless Chromium: every page with real data, and a wallet that sends a real transaction.
//
// The file pays from fresh keys that the faucet of the development chain funded, so it shares no nonce with any other.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { RPC_URL, artifact, ethers, freshAddress, rpc, viem } from './lib/env.mjs'
import { ORIGIN, describeExplorer, fundedWallet } from './lib/explorer.mjs'
import { TestWallet, WalletError } from './lib/wallet.mjs'

const GIFT = 10n * 10n ** 18n
const SUPPLY = 1_234_567_890_123_456_789n
/** A name that takes over a page which makes markup of it, and turns the direction of writing. */
const HOSTILE = '<img src=x onerror="document.title=\'taken\'">\u202egnp'

const lower = () => freshAddress().toLowerCase()
/** The beginning of a hash or an address that is cut. */
const cut = (hex) => hex.toLowerCase().slice(0, 10)

await describeExplorer('the explorer', (openTab) => {
  let provider, signer, chainId, explorer, page, wallet, token, badge, hostile
  const holder = lower()

  before(async () => {
    const options = { staticNetwork: true, pollingInterval: 50, cacheTimeout: -1 }
    provider = new ethers.JsonRpcProvider(RPC_URL, undefined, options)
    signer = new ethers.NonceManager((await fundedWallet()).connect(provider))
    chainId = await rpc('eth_chainId')
    token = await deploy('NamedToken', 'Parhelion Test Token', 'PTT', SUPPLY)
    badge = await deploy('Badge')
    hostile = await deploy('NamedToken', HOSTILE, HOSTILE, 1n)
    explorer = await openTab()
    page = explorer.page
    wallet = new TestWallet((await fundedWallet()).privateKey)
    await wallet.install(page)
  })
  after(() => provider?.destroy())

  async function deploy(name, ...args) {
    const { abi, bytecode } = artifact(name)
    const contract = await new ethers.ContractFactory(abi, bytecode, signer).deploy(...args)
    await contract.waitForDeployment()
    const address = (await contract.getAddress()).toLowerCase()
    return { contract, address, hash: contract.deploymentTransaction().hash }
  }

  const landed = async (sent) => (await (await sent).wait()).hash
  const pay = (to = freshAddress(), value = 1n) => landed(signer.sendTransaction({ to, value }))

  describe('blocks', () => {
    test('a browser finds it at the address of the node', async () => {
      await page.goto(`${ORIGIN}/`)
      await explorer.isShown()
      assert.equal(page.url(), `${ORIGIN}/explorer/`)
      assert.equal(await page.title(), 'Newest blocks · Parhelion')
      assert.equal(await explorer.fact('Chain id'), `${BigInt(chainId)}`)
      const { baseFeePerGas } = await rpc('eth_getBlockByNumber', 'latest', false)
      assert.equal(await explorer.fact('Base fee'), `${BigInt(baseFeePerGas)} wei per gas`)
      assert.equal(await explorer.fact('Node'), await rpc('web3_clientVersion'))
      assert.ok((await explorer.rows('Blocks')).length > 5)
    })

    test('new blocks and transactions come in by themselves', async () => {
      await explorer.show('/')
      const hash = await pay()
      await page.locator(`#main tbody a[href="/explorer/tx/${hash}"]`).waitFor()
      const { blockNumber } = await provider.getTransactionReceipt(hash)
      await page.locator(`#newest a[href="/explorer/block/${blockNumber}"]`).waitFor()
      assert.ok((await explorer.rows('Transactions')).length <= 10)
    })

    test('a block shows its header and its transactions', async () => {
      const { blockNumber } = await rpc('eth_getTransactionByHash', token.hash)
      const block = await rpc('eth_getBlockByNumber', blockNumber, false)
      const number = BigInt(blockNumber)
      await explorer.show(`/block/${number}`)
      await explorer.heading(`Block ${number}`)
      assert.equal(await explorer.fact('Hash'), block.hash)
      assert.equal(await explorer.fact('Parent'), block.parentHash)
      assert.equal(await explorer.fact('Fees go to'), block.miner)
      const [transaction] = await explorer.rows('Transactions (1)')
      assert.match(transaction, new RegExp(`^${cut(token.hash)}.*\tsucceeded\t.*\t${cut(token.address)}`))
      await page.getByRole('link', { name: '← Before' }).click()
      await explorer.heading(`Block ${number - 1n}`)
      await page.goBack()
      await explorer.heading(`Block ${number}`)
    })

    test('blocks that are not there, and no page at all', async () => {
      await explorer.show('/block/99999999999')
      await explorer.says('.empty', 'does not have this block')
      await explorer.show('/block/0x10000000000000000')
      await explorer.says('.failure', 'No block has such a large number.')
      await explorer.show('/no/such/page')
      await explorer.heading('No such page')
    })
  })

  describe('transactions', () => {
    test('a deployment, with its Solana side', async () => {
      const receipt = await rpc('eth_getTransactionReceipt', token.hash)
      const [gasUsed, gasPrice, rentGas] =
        [receipt.gasUsed, receipt.effectiveGasPrice, receipt.rentGas].map(BigInt)
      await explorer.show(`/tx/${token.hash}`)
      const inSol = (wei) => `${viem.formatUnits(wei, 18)} SOL`
      for (const [label, value] of [
        ['Hash', token.hash],
        ['Outcome', 'succeeded'],
        ['From', receipt.from],
        ['Creates', token.address],
        ['Value', '0 SOL'],
        ['Type', '2, with a fee market (EIP-1559)'],
        ['Gas used', `${gasUsed}`],
        ['Fee', inSol(gasUsed * gasPrice)],
        ['Executed by', receipt.solanaSignature],
        ['Transactions', receipt.solanaSignatures.join('\n')],
        ['Rent gas', `${rentGas}, which paid ${inSol(rentGas * gasPrice)} for room of new state`],
      ]) {
        assert.equal(await explorer.fact(label), value, label)
      }
      const [own, all] = [receipt.computeUnits, receipt.totalComputeUnits].map(BigInt)
      assert.ok((await explorer.fact('Compute units')).startsWith(`${own} of`))
      assert.ok((await explorer.fact('Compute units')).endsWith(`${all} in all`))
      assert.match(await explorer.fact('Steps'), /^none/)
    })

    test('a run in steps', async () => {
      const loops = await deploy('Loops')
      const data = loops.contract.interface.encodeFunctionData('hash', [10_000])
      const hash = await landed(signer.sendTransaction({ to: loops.address, data, gasLimit: 3_000_000 }))
      const { steps } = await rpc('parhelion_getRun', hash)
      assert.ok(steps > 1)
      await explorer.show(`/tx/${hash}`)
      assert.match(await explorer.fact('Steps'), new RegExp(`^${steps}; at once it would take \\d+ compute units$`))
      const { solanaSignatures } = await rpc('eth_getTransactionReceipt', hash)
      assert.equal(await page.locator('ol.signatures li').count(), solanaSignatures.length)
    })

    test('transfers of ERC-20 and ERC-721 are decoded', async () => {
      await explorer.show(`/tx/${await landed(token.contract.transfer(holder, 15n * 10n ** 16n))}`)
      const transfers = await explorer.rows('Token transfers')
      assert.equal(transfers.length, 1)
      assert.match(transfers[0], new RegExp(`\t${cut(holder)}.*\t0\\.15\tPTT ${cut(token.address)}`))
      const id = 2n ** 255n + 7n
      await explorer.show(`/tx/${await landed(badge.contract.mint(holder, id))}`)
      const [minted] = await explorer.rows('Token transfers')
      assert.match(minted, new RegExp(`\tnumber ${id}\tPTB ${cut(badge.address)}`))
    })

    test('one that reverts, and one that is unknown', async () => {
      const sent = await badge.contract.mint(ethers.ZeroAddress, 1n, { gasLimit: 1_000_000 })
      await assert.rejects(sent.wait())
      await explorer.show(`/tx/${sent.hash}`)
      assert.equal(await explorer.fact('Outcome'), 'reverted')
      await explorer.show(`/tx/0x${'12'.repeat(32)}`)
      await explorer.says('.empty', 'does not know this transaction')
    })

    test('one that waits, until it lands', async () => {
      // One nonce is left free, so that this one has to wait.
      const nonce = (await signer.getNonce()) + 1
      const { signer: key } = signer
      const filled = await key.populateTransaction({ to: freshAddress(), value: 2n, nonce, gasLimit: 2_000_000 })
      const hash = await rpc('eth_sendRawTransaction', await key.signTransaction(filled))
      await explorer.show(`/tx/${hash}`)
      await explorer.says('#main [role=status]', 'waits to be landed')
      await pay()
      signer.increment()
      await explorer.says('dd', 'succeeded')
    })
  })

  describe('addresses', () => {
    test('an account: balance, nonce, transactions', async () => {
      const to = lower()
      const hash = await pay(to, 1_000_000_000_000_000_001n)
      await explorer.show(`/address/${to}`)
      await explorer.heading('Account')
      assert.equal(await explorer.fact('Balance'), '1.000000000000000001 SOL')
      assert.equal(await explorer.fact('Nonce'), '0')
      assert.match(await explorer.fact('Kind'), /no code/)
      const transactions = await explorer.rows('Transactions')
      assert.equal(transactions.length, 1)
      assert.ok(transactions[0].startsWith(cut(hash)), transactions[0])
    })

    test('a contract, which is a token', async () => {
      await explorer.show(`/address/${token.address}`)
      await explorer.heading('Token contract')
      assert.match(await explorer.fact('Code'), /^\d+ bytes/)
      const transactions = await explorer.rows('Transactions')
      assert.ok(transactions.at(-1).startsWith(cut(token.hash)), 'its creation is the first')
      await page.getByRole('link', { name: 'Parhelion Test Token' }).click()
      await explorer.heading('Token Parhelion Test Token')
    })

    test('an account that delegates (EIP-7702)', async () => {
      const account = viem.privateKeyToAccount(ethers.Wallet.createRandom().privateKey)
      const authorization = { address: badge.address, chainId: Number(chainId), nonce: 0 }
      const { yParity, r, s } = await account.signAuthorization(authorization)
      const signed = { ...authorization, signature: ethers.Signature.from({ r, s, yParity }) }
      const fields = { type: 4, to: freshAddress(), authorizationList: [signed], gasLimit: 5_000_000 }
      const hash = await landed(signer.sendTransaction(fields))
      await explorer.show(`/address/${account.address}`)
      await explorer.heading('Account with delegation')
      assert.ok((await explorer.fact('Kind')).includes(badge.address))
      await explorer.show(`/tx/${hash}`)
      const [shown] = await explorer.rows('Authorizations')
      assert.match(shown, new RegExp(`^${cut(badge.address)}.*\t0\t${BigInt(chainId)}$`))
    })

    test('its token transfers', async () => {
      await explorer.show(`/address/${holder}`)
      const transfers = await explorer.rows('Token transfers')
      assert.equal(transfers.length, 2)
      assert.match(transfers[0], /PTB/)
      assert.match(transfers[1], /PTT/)
    })
  })

  describe('tokens', () => {
    test('what it says, its transfers, and balances', async () => {
      await explorer.show(`/token/${token.address}`)
      assert.equal(await explorer.fact('Name'), 'Parhelion Test Token')
      assert.equal(await explorer.fact('Symbol'), 'PTT')
      assert.equal(await explorer.fact('Decimals'), '18')
      assert.equal(await explorer.fact('Total supply'), '1.234567890123456789 PTT')
      assert.equal((await explorer.rows('Newest transfers')).length, 2)
      await page.getByLabel('Address').fill(holder)
      await explorer.press('Show')
      await explorer.says('#token-balance', '0.15 PTT')
    })

    test('a name that is markup stays a text', async () => {
      await explorer.show(`/token/${hostile.address}`)
      await explorer.heading(`Token ${HOSTILE.replace('\u202e', '\ufffd')}`)
      for (const path of [`/tx/${hostile.hash}`, `/address/${hostile.address}`, `/token/${hostile.address}`]) {
        await explorer.show(path)
        assert.ok((await page.locator('#main').innerText()).includes('<img src=x onerror='), path)
        assert.equal(await page.locator('img').count(), 0, path)
        assert.doesNotMatch(await page.title(), /^taken/)
      }
    })

    test('what is no token', async () => {
      await explorer.show(`/token/${holder}`)
      await explorer.says('.empty', 'does not answer as a token')
    })
  })

  describe('search and faucet', () => {
    async function search(query) {
      await page.getByRole('searchbox', { name: 'Search' }).fill(query)
      await page.keyboard.press('Enter')
    }

    test('numbers, hashes and addresses are found', async () => {
      const { blockHash, blockNumber } = await rpc('eth_getTransactionByHash', token.hash)
      const number = BigInt(blockNumber)
      await explorer.show('/')
      for (const [query, title, path] of [
        [`${number}`, `Block ${number}`, `/block/${number}`],
        [blockNumber, `Block ${number}`, `/block/${number}`],
        [` ${token.hash} `, 'Transaction', `/tx/${token.hash}`],
        [blockHash, `Block ${number}`, `/block/${blockHash}`],
        [ethers.getAddress(token.address), 'Token contract', `/address/${token.address}`],
      ]) {
        await search(query)
        await page.waitForURL(`**/explorer${path}`)
        await explorer.heading(title)
      }
      await search('what?')
      await explorer.says('#search-answer', 'That is no block number')
      await search(`0x${'34'.repeat(32)}`)
      await explorer.says('#search-answer', 'knows neither')
    })

    test('the faucet gives once a minute', async () => {
      const address = lower()
      await explorer.show(`/address/${address}`)
      await page.getByRole('link', { name: 'Get some SOL for it' }).click()
      await explorer.press('Send me some')
      await explorer.says('#faucet-answer', '10 SOL went to')
      assert.equal(BigInt(await rpc('eth_getBalance', address, 'latest')), GIFT)
      await explorer.press('Send me some')
      await explorer.says('#faucet-answer', /ask again in \d+ s/)
      assert.equal(BigInt(await rpc('eth_getBalance', address, 'latest')), GIFT)
    })

  })

  describe('wallets', () => {
    const entry = () => page.locator('.wallets li', { hasText: wallet.name })
    const says = (text) => entry().getByRole('status').filter({ hasText: text }).waitFor()
    const addNetwork = () => entry().getByRole('button', { name: 'Add this network' }).click()

    test('the network is added as EIP-3085 has it, and switched to', async () => {
      await explorer.show('/wallet')
      assert.equal(await page.locator('.wallets li').count(), 1)
      assert.match(await entry().locator('img').getAttribute('src'), /^data:image\/svg/)
      wallet.requests.length = 0
      await addNetwork()
      await says('knows this chain and uses it')
      const chain = {
        chainId,
        chainName: `Parhelion ${BigInt(chainId)}`,
        rpcUrls: [ORIGIN],
        nativeCurrency: { name: 'SOL', symbol: 'SOL', decimals: 18 },
        blockExplorerUrls: [`${ORIGIN}/explorer`],
      }
      assert.deepEqual(wallet.requests, [
        { method: 'wallet_addEthereumChain', params: [chain] },
        { method: 'wallet_switchEthereumChain', params: [{ chainId }] },
      ])
    })

    test('what a wallet declines is told in words', async () => {
      await explorer.show('/wallet')
      for (const [code, words] of [
        [4001, /^You declined it in the wallet\.$/],
        [-32602, 'does not accept what this page asks. (it rains)'],
        [-32002, 'The wallet waits for you'],
        [-32603, 'The wallet says: it rains'],
      ]) {
        wallet.refusals.set('wallet_addEthereumChain', new WalletError(code, 'it rains'))
        await addNetwork()
        await says(words)
      }
      wallet.refusals.set('wallet_switchEthereumChain', new WalletError(4001, 'no'))
      await addNetwork()
      await says('You declined it')
    })

    test('it sends a real transaction from the page', async () => {
      const to = lower()
      await explorer.show('/wallet')
      await entry().getByRole('button', { name: 'Connect' }).click()
      await explorer.says('dd', '10 SOL')
      await page.getByLabel('To').fill(to)
      const amount = page.getByLabel('Amount in SOL')
      await amount.fill('1,5')
      await explorer.press('Send')
      await explorer.says('#send-answer', /^“1,5” is no amount/)
      await amount.fill('1.5')
      wallet.refusals.set('eth_sendTransaction', new WalletError(4001, 'no'))
      await explorer.press('Send')
      await explorer.says('#send-answer', 'You declined it')
      await explorer.press('Send')
      await explorer.says('#send-answer', 'succeeded in block')
      assert.equal(BigInt(await rpc('eth_getBalance', to, 'latest')), 1_500_000_000_000_000_000n)
      await page.locator('#send-answer').getByRole('link').first().click()
      await explorer.heading('Transaction')
      assert.equal(await explorer.fact('From'), wallet.address)
      assert.equal(await explorer.fact('To'), to)
      assert.equal(await explorer.fact('Value'), '1.5 SOL')
    })

    test('a wallet of another chain is switched before it sends', async () => {
      const other = await openTab()
      const stranger = new TestWallet(ethers.Wallet.createRandom().privateKey)
      await stranger.install(other.page)
      await other.show('/wallet')
      await other.press('Connect')
      await other.page.getByLabel('To').fill(holder)
      await other.page.getByLabel('Amount in SOL').fill('1')
      await other.press('Send')
      await other.says('#send-answer', 'The wallet does not know this chain: add it first.')
      assert.ok(!stranger.requests.some(({ method }) => method === 'eth_sendTransaction'))
    })
  })

  describe('for everybody', () => {
    test('a phone shows every page without scrolling sideways, light and dark', async () => {
      const grounds = new Set()
      for (const colorScheme of ['light', 'dark']) {
        const phone = await openTab({ viewport: { width: 360, height: 640 }, colorScheme })
        const chain = ['/', `/tx/${token.hash}`, `/address/${token.address}`, `/token/${hostile.address}`]
        for (const path of [...chain, '/wallet', '/faucet']) {
          await phone.show(path)
          const width = await phone.page.evaluate(() => document.documentElement.scrollWidth)
          assert.equal(width, 360, `${colorScheme} ${path}`)
        }
        grounds.add(await phone.page.evaluate(() => getComputedStyle(document.body).backgroundColor))
      }
      assert.equal(grounds.size, 2)
    })

    test('keys are enough', async () => {
      const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent)
      await explorer.show('/')
      await page.keyboard.press('Tab')
      assert.equal(await focused(), 'Skip to the content')
      await page.keyboard.press('Enter')
      assert.equal(await focused(), 'main')
      await page.getByRole('link', { name: 'Wallet' }).focus()
      await page.keyboard.press('Enter')
      await explorer.heading('Wallet')
      assert.equal(await focused(), 'main')
    })
  })
})
