// Pages of the explorer, as tests look at them.

import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { findChromium, launchChromium, openPage } from './browser.mjs'
import { RPC_URL, ethers, rpc } from './env.mjs'

/** The address of the node for browsers. */
export const ORIGIN = new URL(RPC_URL).origin

/** A file's tests take less than this. */
const LIMIT = { timeout: 85_000 }
/** What the page has when it got its answers from the node. */
const SHOWN = '#main[aria-busy="false"]'

/** Why the explorer cannot be tested here; undefined if it can. */
async function obstacle() {
  if (!findChromium()) return 'there is no Chromium on this machine: apt-get install chromium'
  const page = await fetch(`${ORIGIN}/explorer/`)
  if (!page.ok) return `this node serves no explorer: ${await rpc('web3_clientVersion')}`
  try {
    await rpc('parhelion_faucet')
  } catch (error) {
    if (/does not exist/.test(error.message)) return 'this chain has no faucet that would pay for the tests'
  }
  return undefined
}

/**
 * A suite of tests in a browser, in whose tabs nothing may go wrong. `body` gets `openTab(options)`, which gives an
 * `Explorer` without a page; a tab that a test opens is closed behind it, one that is opened before is kept.
 *
 * Where there is no browser or no explorer, that is said, and counted as a test that was skipped.
 */
export async function describeExplorer(name, body) {
  const skip = await obstacle()
  if (skip) {
    console.error(`\nTHE EXPLORER IS NOT TESTED: ${skip}\n`)
    // A test, because a suite would not be counted.
    test(name, { skip })
    return
  }
  describe(name, LIMIT, () => {
    const tabs = []
    let browser
    let kept
    before(async () => {
      browser = await launchChromium(findChromium())
    })
    beforeEach(() => {
      kept ??= tabs.length
    })
    afterEach(async () => {
      const wrongs = tabs.flatMap((tab) => tab.wrongs.splice(0))
      await Promise.all(tabs.splice(kept).map((tab) => tab.close()))
      assert.deepEqual(wrongs, [], 'nothing went wrong in the page')
    })
    after(() => browser?.close())
    body(async (options) => {
      const tab = new Explorer(await openPage(browser, ORIGIN, options))
      tabs.push(tab)
      return tab
    })
  })
}

/** A fresh key with what the faucet gives. */
export async function fundedWallet() {
  const wallet = ethers.Wallet.createRandom()
  await rpc('parhelion_faucet', wallet.address)
  return wallet
}

class Explorer {
  constructor({ page, wrongs, close }) {
    Object.assign(this, { page, wrongs, close })
  }

  /** Presses a button. */
  press(name) {
    return this.page.getByRole('button', { name }).click()
  }

  /** Shows a path of the explorer. */
  async show(path) {
    await this.page.goto(`${ORIGIN}/explorer${path}`)
    await this.isShown()
  }

  /** Waits until the page has what it asked the node for. */
  isShown() {
    return this.page.locator(SHOWN).waitFor()
  }

  /** Waits for a heading. */
  heading(text) {
    return this.page.locator('h1').filter({ hasText: text }).waitFor()
  }

  /** Waits for a text in the elements that a selector finds. */
  says(selector, text) {
    return this.page.locator(selector).filter({ hasText: text }).first().waitFor()
  }

  /** What stands next to a label, without the spaces between groups of digits. */
  async fact(label) {
    const term = this.page.locator('dt', { hasText: new RegExp(`^${label}$`) })
    const entry = this.page.locator('dl.facts > div').filter({ has: term }).first()
    return ungrouped(await entry.locator('dd').first().innerText())
  }

  /** The rows under a heading, each a text with tabs. */
  async rows(title) {
    const heading = this.page.locator('h2', { hasText: title })
    const texts = await this.page.locator('section').filter({ has: heading }).locator('tbody tr').allInnerTexts()
    return texts.map(ungrouped)
  }

  /** Answers what the page asks the node with `answer(method, params)`: a result, or an error if it throws one. */
  async replaceNode(answer) {
    const batches = []
    await this.page.route(isRpc, async (route) => {
      const asked = JSON.parse(route.request().postData())
      batches.push([asked].flat().length)
      const answers = await Promise.all([asked].flat().map(async ({ id, method, params }) => {
        try {
          return { jsonrpc: '2.0', id, result: await answer(method, params) }
        } catch ({ code, message }) {
          return { jsonrpc: '2.0', id, error: { code, message } }
        }
      }))
      return route.fulfill({ json: Array.isArray(asked) ? answers : answers[0] })
    })
    return batches
  }
}

/** Whether a page asks the node there. */
export const isRpc = ({ pathname }) => pathname === '/'

const ungrouped = (text) => text.replaceAll('\u202f', '')
