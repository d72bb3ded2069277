// forge and cast against the node under test; a command that fails fails the test.

import assert from 'node:assert/strict'
import path from 'node:path'
import { forgeProject, runTool } from './commands.mjs'
import { RPC_URL } from './env.mjs'
import { SOURCE_DIR, packagesDir } from './packages.mjs'

/** A forge project in a scratch folder, with our contracts as its sources; `remove` deletes it. */
export const project = () =>
  forgeProject(path.join(SOURCE_DIR, 'contracts'), path.join(packagesDir(), 'node_modules'))

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
  const failed = await runTool('cast', args, { url: RPC_URL }).then(
    ({ stdout }) => assert.fail(`cast ${args.join(' ')} succeeded: ${stdout}`),
    (error) => error,
  )
  assert.ok(failed.stderr !== undefined, failed)
  return failed.stderr
}

/** The standard output of `forge args` in the project's folder. */
export async function forge(root, ...args) {
  try {
    return (await runTool('forge', args, { url: RPC_URL, cwd: root })).stdout.trim()
  } catch (error) {
    assert.fail(`forge ${args.join(' ')}: ${error.stderr || error.message}\n${error.stdout ?? ''}`)
  }
}
