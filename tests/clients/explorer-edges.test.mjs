// The explorer in headless Chromium where things are not as usual: nodes that are made up, wallets that misbehave.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ethers, eventually, freshAddress, viem } from './lib/env.mjs'
import { describeExplorer, isRpc } from './lib/explorer.mjs'
import { TestWallet, WalletError } from './lib/wallet.mjs'

const NEWEST = 1_000_000

await describeExplorer('the explorer, at its edges', (openTab) => {
  describe('nodes', () => {
    test('a subscription tells of blocks where the node has them', async () => {
      const explorer = await openTab()
      let newest, socket, tell
      const told = new Promise((resolve) => (tell = resolve))
      const asked = []
      await explorer.replaceNode(async (method, params) => {
        asked.push(method)
        if (socket !== undefined) {
          // The answer to what was asked when the subscription began comes when it is old, and the first block is being shown.
          await told
          if (method !== 'eth_blockNumber') await new Promise((resolve) => setTimeout(resolve, 300))
        }
        return emptyChain(method, params)
      })
      await explorer.page.routeWebSocket(/.*/, (route) => {
        route.onMessage((text) => {
          const { id, method, params } = JSON.parse(text)
          assert.deepEqual([method, params], ['eth_subscribe', ['newHeads']])
          route.send(JSON.stringify({ jsonrpc: '2.0', id, result: '0x9' }))
          // Heads that are sent earlier belong to no subscription.
          socket = route
        })
      })
      await explorer.show('/')
      await eventually('a subscription', () => socket)
      // The second comes while the first is being shown.
      for (newest of [NEWEST + 1, NEWEST + 2]) {
        const head = { subscription: '0x9', result: { number: ethers.toQuantity(newest) } }
        socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: head }))
      }
      tell()
      await explorer.page.locator(`#newest a[href="/explorer/block/${newest}"]`).waitFor()
      // Once to begin with, and once when the subscription began: no polling.
      assert.equal(asked.filter((method) => method === 'eth_blockNumber').length, 2)
    })

    test('a node without subscriptions is asked again and again', async () => {
      const explorer = await openTab()
      let newest = NEWEST
      await explorer.replaceNode((method, params) =>
        method === 'eth_blockNumber' ? ethers.toQuantity(newest) : emptyChain(method, params))
      await explorer.page.routeWebSocket(/.*/, (route) => {
        const error = { code: -32601, message: 'no such method' }
        route.onMessage((text) => route.send(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(text).id, error })))
      })
      await explorer.show('/')
      newest += 5
      await explorer.page.locator(`#newest a[href="/explorer/block/${newest}"]`).waitFor()
      assert.equal((await explorer.rows('Blocks')).length, 10)
    })

    test('a chain of a million blocks takes few and small requests', async () => {
      const explorer = await openTab()
      const batches = await explorer.replaceNode(emptyChain)
      await explorer.show('/')
      assert.equal(await explorer.fact('Newest block'), `${NEWEST}`)
      await explorer.says('.note', 'Blocks from 999469 on were searched.')
      await explorer.show(`/address/${freshAddress()}`)
      await explorer.page.getByRole('button', { name: 'Search older blocks' }).first().click()
      await explorer.says('.note', 'Blocks from 998937 on were searched: none found.')
      assert.ok(Math.max(...batches) <= 100, `${batches}`)
      assert.ok(batches.length < 70, `${batches}`)
    })

    test('logs are looked for in smaller ranges where there are too many', async () => {
      const explorer = await openTab()
      const ranges = []
      await explorer.replaceNode((method, params) => {
        if (method === 'eth_call') return ethers.toBeHex(18, 32)
        if (method !== 'eth_getLogs') return emptyChain(method, params)
        const [from, to] = [params[0].fromBlock, params[0].toBlock].map(Number)
        ranges.push(to - from + 1)
        // Ten transfers a block: the node gives a hundred at once.
        if (to - from >= 10) throw new WalletError(-32005, 'query returned more than 100 results')
        return Array.from({ length: 10 * (to - from + 1) }, (_, index) => transferLog(from, index))
      })
      await explorer.show(`/token/${freshAddress()}`)
      const found = await explorer.rows('Newest transfers')
      assert.deepEqual(ranges, [1000, 250, 62, 15, 3])
      // Whole blocks, the newest first: three hold 25 transfers, and the next search goes on below.
      assert.deepEqual([...new Set(found.map((row) => row.split('\t')[0]))], ['1000000', '999999', '999998'])
      assert.equal(found.length, 30)
      await explorer.says('.note', 'Blocks from 999998 on were searched: 30 found.')
    })

    test('a node that does not answer is told, and found again', async () => {
      const explorer = await openTab()
      await explorer.show('/wallet')
      await explorer.page.route(isRpc, (route) => route.abort())
      await explorer.page.getByRole('link', { name: 'Blocks', exact: true }).click()
      await explorer.says('.failure', 'The node does not answer.')
      await explorer.page.unroute(isRpc)
      await explorer.press('Try again')
      await explorer.heading('Newest blocks')
      // Chromium notes each request that failed.
      const wrongs = explorer.wrongs.splice(0)
      explorer.wrongs.push(...wrongs.filter((wrong) => !wrong.includes('net::ERR_FAILED')))
    })

    test('a chain without a faucet shows none', async () => {
      const explorer = await openTab()
      await explorer.replaceNode(emptyChain)
      await explorer.show(`/address/${freshAddress()}`)
      assert.equal(await explorer.page.getByText('Faucet').filter({ visible: true }).count(), 0)
      await explorer.show('/faucet')
      await explorer.says('.empty', 'This chain has no faucet')
    })
  })

  describe('wallets', () => {
    test('without a wallet the page says so', async () => {
      const explorer = await openTab()
      await explorer.show('/wallet')
      await explorer.says('.empty', 'No wallet is here')
    })

    test('only icons that are images of their own are shown', async () => {
      const explorer = await openTab()
      for (const [name, icon] of [
        ['Good', 'data:image/png;base64,iVBORw0KGgo='],
        ['Remote', 'http://127.0.0.1:9/icon.png'],
        ['Script', 'javascript:alert(1)'],
        ['Page', 'data:text/html,<script>alert(1)</script>'],
        ['None', null],
        ['<b>\u202e', ''],
      ]) {
        await new TestWallet(ethers.Wallet.createRandom().privateKey, { name, icon }).install(explorer.page)
      }
      await explorer.show('/wallet')
      const names = await explorer.page.locator('.wallets strong').allInnerTexts()
      assert.deepEqual(names, ['Good', 'Remote', 'Script', 'Page', 'None', '<b>\ufffd'])
      assert.equal(await explorer.page.locator('img').count(), 1)
    })

    test('a wallet that announces itself later appears, and once', async () => {
      const explorer = await openTab()
      await explorer.show('/wallet')
      await explorer.page.evaluate(() => {
        const detail = { info: { uuid: 'late', name: 'Late' }, provider: { request: () => {} } }
        for (const one of [detail, detail, null, {}, { info: {}, provider: {} }]) {
          window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail: one }))
        }
      })
      assert.deepEqual(await explorer.page.locator('.wallets strong').allInnerTexts(), ['Late'])
    })
  })

  test('numbers and texts of strangers are shown exactly, or not at all', async () => {
    const explorer = await openTab()
    await explorer.show('/wallet')
    const word = (value) => ethers.toBeHex(value, 32).slice(2)
    const data = '4869'.padEnd(64, '0')
    const input = {
      units: [['1', 18], [`${2n ** 256n - 1n}`, 18], ['1500', 3], ['7', 0], ['7', 255], ['0', 18]],
      amounts: ['1', '0.000000000000000001', '1.50', '.5', '1e3', '-1', '0x1', '', '1.0000000000000000001'],
      encoded: [
        word(32) + word(2) + data,
        data,
        word(32) + word(0),
        word(32) + word(2n ** 255n) + word(0),
        word(2n ** 255n) + word(0),
        word(33) + word(2) + word(0),
        '',
        '12',
      ],
      texts: ['a\u0000\u200b\u2066b', 'x'.repeat(101)],
    }
    const shown = await explorer.page.evaluate(async ({ units, amounts, encoded, texts }) => {
      const quantity = await import('/explorer/assets/quantity.js')
      const { decodeText } = await import('/explorer/assets/abi.js')
      const { plain } = await import('/explorer/assets/words.js')
      const parse = (amount) => {
        try {
          return `${quantity.parseUnits(amount, 18)}`
        } catch {
          return 'refused'
        }
      }
      return {
        units: units.map(([value, decimals]) => quantity.units(value, decimals)),
        amounts: amounts.map(parse),
        decoded: encoded.map((digits) => decodeText(`0x${digits}`)),
        texts: texts.map(plain),
      }
    }, input)
    assert.deepEqual(shown, {
      units: ['0.000000000000000001', inGroups(viem.formatUnits(2n ** 256n - 1n, 18)), '1.5', '7', '7', '0'],
      amounts: [`${10n ** 18n}`, '1', `${15n * 10n ** 17n}`, ...Array(6).fill('refused')],
      decoded: ['Hi', 'Hi', '', null, null, null, null, null],
      texts: ['a\ufffd\ufffd\ufffdb', `${'x'.repeat(100)}…`],
    })
  })
})

/** A decimal number with narrow spaces between groups of digits. */
const inGroups = (text) => text.replace(/^\d+/, (digits) => digits.replace(/\B(?=(\d{3})+$)/g, '\u202f'))

/** The answers of a chain of empty blocks. */
function emptyChain(method, [number]) {
  if (method === 'eth_getBlockByNumber') {
    return { number, timestamp: '0x1', gasUsed: '0x0', baseFeePerGas: '0x1', transactions: [] }
  }
  if (method.startsWith('parhelion_')) throw new WalletError(-32601, `the method ${method} does not exist`)
  const newest = ethers.toQuantity(NEWEST)
  const answers = { eth_blockNumber: newest, eth_getCode: '0x', eth_getLogs: [], web3_clientVersion: 'empty' }
  return answers[method] ?? '0x1'
}

/** A transfer: the one with this index from block `from` on, where every block has ten. */
function transferLog(from, index) {
  const party = ethers.zeroPadValue('0x01', 32)
  return {
    address: `0x${'11'.repeat(20)}`,
    topics: [ethers.id('Transfer(address,address,uint256)'), party, party],
    data: ethers.toBeHex(1, 32),
    blockNumber: ethers.toQuantity(from + Math.floor(index / 10)),
    logIndex: ethers.toQuantity(index % 10),
    transactionHash: `0x${'22'.repeat(32)}`,
  }
}
