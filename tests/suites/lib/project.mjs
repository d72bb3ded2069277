// A project of these suites as its user has it: its files in a folder of their own, with the pinned packages beside them.

import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Installation } from '../../clients/lib/installation.mjs'

/** The folder `tests/suites` of this checkout. */
export const SOURCE_DIR = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

const COMMAND_LIMIT_MS = 180_000

export class Project {
  /** The project in the folder `name`, which has a package.json and a lock file of its own. */
  constructor(name) {
    this.name = name
    this.source = path.join(SOURCE_DIR, name)
    this.packages = new Installation(this.source, `suite-${name}`)
  }

  /** Installs its packages unless they are there, and copies its files into a scratch folder. */
  open(log = console.log) {
    this.packages.install(log)
    this.root = fs.mkdtempSync(path.join(os.tmpdir(), `parhelion-${this.name}-`))
    fs.cpSync(this.source, this.root, { recursive: true })
    fs.symlinkSync(this.packages.modules(), path.join(this.root, 'node_modules'))
    return this
  }

  remove() {
    if (this.root) fs.rmSync(this.root, { recursive: true, force: true })
  }

  /** A file of the installed packages. */
  module(file) {
    return path.join(this.packages.modules(), file)
  }

  /** Runs a program in the project's folder; what it said is in the result, or in the error when it fails. */
  async run(program, args, { env = {}, limitMs = COMMAND_LIMIT_MS } = {}) {
    const options = {
      cwd: this.root,
      env: { ...process.env, NO_COLOR: '1', ...env },
      timeout: limitMs,
      killSignal: 'SIGKILL',
      maxBuffer: 64 * 1024 * 1024,
    }
    try {
      return await promisify(execFile)(program, args, options)
    } catch (error) {
      const how = error.killed ? `was stopped after ${limitMs / 1000} s` : 'failed'
      throw new Error(`${path.basename(program)} ${args.join(' ')} ${how}:\n${error.stdout}\n${error.stderr}`)
    }
  }
}
