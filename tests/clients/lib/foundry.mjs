// Runs forge and cast the way a person does: as commands, with the node's address in the environment.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { RPC_URL } from './env.mjs'
import { SOURCE_DIR, foundryTool, packagesDir } from './packages.mjs'

const COMMAND_LIMIT_MS = 90_000

/** An executable that forge takes for a native solc; it runs the solc.mjs of the checkout in use. */
function solcShim() {
  const file = path.join(packagesDir(), 'solc')
  const scratch = `${file}.${process.pid}`
  const script = '#!/bin/sh\nexec "${PARHELION_NODE:?}" "${PARHELION_SOLC:?}" "$@"\n'
  fs.writeFileSync(scratch, script, { mode: 0o755 })
  fs.renameSync(scratch, file)
  return file
}

/** A forge project in a scratch folder, with our contracts as its sources; `remove` deletes it. */
export function project() {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'parhelion-forge-'))
  fs.cpSync(path.join(SOURCE_DIR, 'contracts'), path.join(root, 'src'), { recursive: true })
  const modules = path.join(packagesDir(), 'node_modules')
  const config = {
    src: 'src',
    solc: solcShim(),
    evm_version: 'osaka',
    offline: true,
    allow_paths: [modules],
    remappings: [`@openzeppelin/=${modules}/@openzeppelin/`],
  }
  const lines = Object.entries(config).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
  fs.writeFileSync(path.join(root, 'foundry.toml'), `[profile.default]\n${lines.join('\n')}\n`)
  return { root, remove: () => fs.rmSync(root, { recursive: true, force: true }) }
}

async function runTool(tool, args, cwd) {
  const env = {
    ...process.env,
    ETH_RPC_URL: RPC_URL,
    FOUNDRY_DISABLE_NIGHTLY_WARNING: '1',
    NO_COLOR: '1',
    PARHELION_NODE: process.execPath,
    PARHELION_SOLC: path.join(SOURCE_DIR, 'solc.mjs'),
  }
  const options = { cwd, env, timeout: COMMAND_LIMIT_MS, maxBuffer: 64 * 1024 * 1024 }
  return promisify(execFile)(foundryTool(tool), args, options)
}

/** The standard output of `cast args`; fails with what cast said. */
export async function cast(...args) {
  try {
    return (await runTool('cast', args, os.tmpdir())).stdout.trim()
  } catch (error) {
    assert.fail(`cast ${args.join(' ')}: ${error.stderr || error.message}`)
  }
}

/** The same, parsed from cast's JSON output. */
export const castJson = async (...args) => JSON.parse(await cast(...args, '--json'))

/** What `cast args` complains about; fails when it succeeds. */
export async function castFailure(...args) {
  const failed = await runTool('cast', args, os.tmpdir()).then(
    ({ stdout }) => assert.fail(`cast ${args.join(' ')} succeeded: ${stdout}`),
    (error) => error,
  )
  assert.ok(failed.stderr !== undefined, failed)
  return failed.stderr
}

/** The standard output of `forge args` in the project's folder. */
export async function forge(root, ...args) {
  try {
    return (await runTool('forge', args, root)).stdout.trim()
  } catch (error) {
    assert.fail(`forge ${args.join(' ')}: ${error.stderr || error.message}\n${error.stdout ?? ''}`)
  }
}
