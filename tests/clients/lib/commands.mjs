// forge and cast as commands, the way a person runs them: a node's address in the environment, a project in a folder.

import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
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

/**
 * A forge project in a scratch folder, with the contracts of the folder `sources`, packages from the folder `modules`
 * and further `settings`; `remove` deletes it.
 */
export function forgeProject(sources, modules, settings = {}) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'parhelion-forge-'))
  fs.cpSync(sources, path.join(root, 'src'), { recursive: true })
  const config = {
    src: 'src',
    solc: solcShim(),
    evm_version: 'osaka',
    offline: true,
    allow_paths: [modules],
    remappings: [`@openzeppelin/=${modules}/@openzeppelin/`],
    ...settings,
  }
  const lines = Object.entries(config).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
  fs.writeFileSync(path.join(root, 'foundry.toml'), `[profile.default]\n${lines.join('\n')}\n`)
  return { root, remove: () => fs.rmSync(root, { recursive: true, force: true }) }
}

/** Runs `tool args` against the node at `url`; rejects with what the tool said in `stderr`. */
export function runTool(tool, args, { url, cwd = os.tmpdir(), limitMs = COMMAND_LIMIT_MS }) {
  const env = {
    ...process.env,
    ETH_RPC_URL: url,
    FOUNDRY_DISABLE_NIGHTLY_WARNING: '1',
    NO_COLOR: '1',
    PARHELION_NODE: process.execPath,
    PARHELION_SOLC: path.join(SOURCE_DIR, 'solc.mjs'),
  }
  const options = { cwd, env, timeout: limitMs, maxBuffer: 64 * 1024 * 1024 }
  return promisify(execFile)(foundryTool(tool), args, options)
}
