// web3.py 8: the tests of the folder web3py, in a Python of their own.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { ACCOUNT, RPC_URL, SUITE, account, artifact } from './lib/env.mjs'
import { SOURCE_DIR } from './lib/packages.mjs'
import { pythonWith } from './lib/python.mjs'

const FOLDER = path.join(SOURCE_DIR, 'web3py')
const RUN_LIMIT_MS = 120_000

/** What the tests in Python say, one result after the other: `{ name, verdict, why }`. */
async function results() {
  const python = pythonWith(path.join(FOLDER, 'requirements.txt'), 'web3py', console.log)
  const options = { cwd: FOLDER, timeout: RUN_LIMIT_MS, stdio: ['pipe', 'pipe', 'inherit'] }
  const child = spawn(python, ['-B', 'test_web3py.py'], options)
  const { privateKey } = account(ACCOUNT.web3py)
  const artifacts = { Token: artifact('Token'), Counter: artifact('Counter') }
  child.stdin.end(JSON.stringify({ url: RPC_URL, privateKey, artifacts }))
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
  const lines = (await text(child.stdout)).trim().split('\n')
  assert.equal(await ended, 0, `the tests in Python ended early, after: ${lines.at(-1)}`)
  return lines.map((line) => JSON.parse(line))
}

const told = await results()

describe('web3.py', SUITE, () => {
  for (const { name, verdict, why } of told) {
    test(name, { skip: verdict === 'skipped' && why }, () => assert.equal(verdict, 'passed', why))
  }
})
