// The pinned npm packages of one folder of tests, installed into the user's cache folder.
//
// The folder in the cache is named after the hash of the lock file: every clone with the same lock file shares it, and
// a changed lock file gets a new one. The installation happens in a scratch folder that is renamed when it is
// complete, so an interrupted one leaves nothing that looks finished.

import { createHash, randomBytes } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'

const MANIFEST_FILES = ['package.json', 'package-lock.json', '.npmrc']

/** The cache folder of everything in this project. */
export function cacheRoot() {
  return path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'parhelion')
}

export class Installation {
  /** The packages that `source` (a folder with package.json, lock file and .npmrc) pins; `name` is its name in the cache. */
  constructor(source, name) {
    this.source = source
    this.name = name
  }

  /** The folder that holds (or will hold) `node_modules` for the committed lock file. */
  dir() {
    const lock = fs.readFileSync(path.join(this.source, 'package-lock.json'))
    const hash = createHash('sha256').update(lock).digest('hex').slice(0, 16)
    return path.join(cacheRoot(), `${this.name}-${hash}`)
  }

  /** Installs the packages unless they are there already, and returns their folder. */
  install(log) {
    const final = this.dir()
    if (fs.existsSync(final)) return final
    fs.mkdirSync(path.dirname(final), { recursive: true })
    this.#removeAbandoned(path.dirname(final))

    const scratch = `${final}.tmp-${process.pid}-${randomBytes(4).toString('hex')}`
    fs.mkdirSync(scratch)
    for (const name of MANIFEST_FILES) fs.copyFileSync(path.join(this.source, name), path.join(scratch, name))
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

  /** A `require` that resolves the installed packages; their CommonJS builds need no `node_modules` here. */
  require() {
    return createRequire(path.join(this.dir(), 'package.json'))
  }

  /** Where Solidity finds the sources of the installed packages. */
  modules() {
    return path.join(this.dir(), 'node_modules')
  }

  /** Removes scratch folders whose process is gone. */
  #removeAbandoned(folder) {
    const scratch = new RegExp(`^${this.name}-[0-9a-f]+\\.tmp-(\\d+)-`)
    for (const name of fs.readdirSync(folder)) {
      const pid = scratch.exec(name)?.[1]
      if (pid && !isAlive(Number(pid))) fs.rmSync(path.join(folder, name), { recursive: true, force: true })
    }
  }
}

/** Whether there is a process with this id. */
export function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
