// Headless Chromium, for tests of web pages: what is installed on the machine, driven by playwright.

import fs from 'node:fs'
import path from 'node:path'
import { packageRequire } from './packages.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
const STEP_LIMIT_MS = 15_000

/** Chromium's executable; undefined where there is none. */
export function findChromium() {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '')
  return folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name))).find((file) => fs.existsSync(file))
}

export function launchChromium(executablePath) {
  const { chromium } = packageRequire()('playwright-core')
  // Without a sandbox, because tests may run as root in a container; the only page is our own.
  return chromium.launch({ executablePath, headless: true, args: ['--no-sandbox', '--disable-gpu'] })
}

/**
 * A page of its own context, and what went wrong in it: errors on the console, exceptions, breaches of the content
 * security policy, and requests to elsewhere than `origin`.
 */
export async function openPage(browser, origin, options = {}) {
  const context = await browser.newContext({ baseURL: origin, ...options })
  context.setDefaultTimeout(STEP_LIMIT_MS)
  const page = await context.newPage()
  const wrongs = []
  page.on('console', (message) => message.type() === 'error' && wrongs.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => wrongs.push(`exception: ${error.stack ?? error}`))
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${origin}/`) && !url.startsWith('data:')) wrongs.push(`request: ${url}`)
  })
  page.on('dialog', (dialog) => {
    wrongs.push(`dialog: ${dialog.message()}`)
    dialog.dismiss()
  })
  await page.exposeFunction('noteViolation', (text) => wrongs.push(`policy: ${text}`))
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      globalThis.noteViolation(`${violatedDirective} ${blockedURI}`)
    })
  })
  return { page, wrongs, close: () => context.close() }
}
