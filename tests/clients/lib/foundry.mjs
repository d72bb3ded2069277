// forge and cast against the node under test; a command that fails fails the test.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { forgeProject, runTool } from './commands.mjs'
import { RPC_URL, rpc } from './env.mjs'
import { SOURCE_DIR, packagesDir } from './packages.mjs'

/** A forge project in a scratch folder, with our contracts as its sources, and our scripts; `remove` deletes it. */
export function project() {
  const made = forgeProject(path.join(SOURCE_DIR, 'contracts'), path.join(packagesDir(), 'node_modules'))
  fs.cpSync(path.join(SOURCE_DIR, 'scripts'), path.join(made.root, 'script'), { recursive: true })
  return made
}

/** The standard output of `cast args`; fails with what cast said. */
export async function cast(...args) {
  try {
    return (await runTool('cast', args, { url: RPC_URL })).stdout.trim()
  } catch (error) {
    assert.fail(`cast ${args.join(' ')}: ${error.stderr || error.message}`)
  }
}

/** The same, parsed from cast's JSON output. */
export const castJson = async (...args) => JSON.parse(await cast(...args, '--json'))

/** What `cast args` complains about; fails when it succeeds. */
export async function castFailure(...args) {
  return (await failure(runTool('cast', args, { url: RPC_URL }), `cast ${args.join(' ')}`)).stderr
}

/** How a command failed: `{ stdout, stderr }`; fails when it succeeds. */
async function failure(running, command) {
  const failed = await running.then(
    ({ stdout }) => assert.fail(`${command} succeeded: ${stdout}`),
    (error) => error,
  )
  assert.ok(failed.stderr !== undefined, failed)
  return failed
}

/** The standard output of `forge args` in the project's folder. */
export async function forge(root, ...args) {
  try {
    return (await runTool('forge', args, { url: RPC_URL, cwd: root })).stdout.trim()
  } catch (error) {
    assert.fail(`forge ${args.join(' ')}: ${error.stderr || error.message}\n${error.stdout ?? ''}`)
  }
}

/**
 * Runs a function of a script and sends what it broadcasts, as people do: no `--legacy`, no `--skip-simulation`, no
 * `--slow`. Returns forge's record of it: `{ transactions, receipts, returns, ... }`.
 */
export async function broadcast(root, script, signature, args, options) {
  const file = `script/${script}.s.sol`
  const flags = ['--broadcast', '--rpc-url', RPC_URL, '--sig', signature]
  await forge(root, 'script', `${file}:${script}`, ...flags, ...args, ...options)
  const name = signature.split('(')[0]
  const record = path.join(root, 'broadcast', path.basename(file), `${BigInt(await rpc('eth_chainId'))}`)
  return JSON.parse(fs.readFileSync(path.join(record, `${name}-latest.json`), 'utf8'))
}
