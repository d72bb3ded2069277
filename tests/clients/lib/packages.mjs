// Installs the pinned npm packages into the user's cache folder and finds them there.
//
// The folder is named after the hash of the lock file: every clone with the same lock file shares it, and a
// changed lock file gets a new one. The installation happens in a scratch folder that is renamed when it is
// complete, so an interrupted one leaves nothing that looks finished.

import { createHash, randomBytes } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder `tests/clients` of this checkout. */
export const SOURCE_DIR = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

const MANIFEST_FILES = ['package.json', 'package-lock.json', '.npmrc']
const ARCH_NAMES = { x64: 'amd64', arm64: 'arm64' }

/** The cache folder of everything in this project. */
function cacheRoot() {
  return path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'parhelion')
}

/** The folder that holds (or will hold) `node_modules` for the committed lock file. */
export function packagesDir() {
  const lock = fs.readFileSync(path.join(SOURCE_DIR, 'package-lock.json'))
  return path.join(cacheRoot(), `clients-${createHash('sha256').update(lock).digest('hex').slice(0, 16)}`)
}

/** Installs the packages unless they are there already, and returns their folder. */
export function install(log) {
  const final = packagesDir()
  if (fs.existsSync(final)) return final
  fs.mkdirSync(path.dirname(final), { recursive: true })
  removeAbandoned(path.dirname(final))

  const scratch = `${final}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`
  fs.mkdirSync(scratch)
  for (const name of MANIFEST_FILES) fs.copyFileSync(path.join(SOURCE_DIR, name), path.join(scratch, name))
  log(`installing npm packages into ${final}`)
  // No package here needs its install script: the foundry ones only download what the platform package has.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = spawnSync('npm', args, { cwd: scratch, stdio: ['ignore', 'inherit', 'inherit'] })
  if (npm.status !== 0) {
    fs.rmSync(scratch, { recursive: true, force: true })
    throw new Error(`npm ci failed (${npm.error ?? `exit code ${npm.status ?? npm.signal}`})`)
  }
  try {
    fs.renameSync(scratch, final)
  } catch (error) {
    // Somebody else finished first: theirs is as good as ours.
    fs.rmSync(scratch, { recursive: true, force: true })
    if (!fs.existsSync(final)) throw error
  }
  return final
}

/** Removes scratch folders whose process is gone. */
function removeAbandoned(folder) {
  for (const name of fs.readdirSync(folder)) {
    const pid = /^clients-[0-9a-f]+\.tmp-(\d+)-/.exec(name)?.[1]
    if (pid && !isAlive(Number(pid))) fs.rmSync(path.join(folder, name), { recursive: true, force: true })
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** A `require` that resolves the installed packages; their CommonJS builds need no `node_modules` here. */
export function packageRequire(dir = packagesDir()) {
  return createRequire(path.join(dir, 'package.json'))
}

/** The path of a native foundry tool: `forge`, `cast` or `anvil`. */
export function foundryTool(name, dir = packagesDir()) {
  const platform = `${process.platform}-${ARCH_NAMES[process.arch] ?? process.arch}`
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const file = path.join(dir, 'node_modules', '@foundry-rs', `${name}-${platform}`, 'bin', name + suffix)
  if (!fs.existsSync(file)) throw new Error(`no ${name} for ${platform}: ${file} is missing`)
  return file
}
