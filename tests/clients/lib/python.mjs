// A Python with the pinned packages of one requirements.txt, installed into the user's cache folder, named after its hash.

import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { cacheRoot, isAlive } from './installation.mjs'

const INSTALL_LIMIT_MS = 300_000

/** The interpreter for the packages in the file `requirements`; they are installed unless they are there already. */
export function pythonWith(requirements, name, log) {
  const hash = createHash('sha256').update(fs.readFileSync(requirements)).digest('hex').slice(0, 16)
  const folder = path.join(cacheRoot(), `${name}-${hash}`)
  const python = path.join(folder, 'bin', 'python')
  // A venv holds its own path, so it is made in place; the last file says that it is complete.
  const complete = path.join(folder, 'complete')
  if (!fs.existsSync(complete)) {
    withLock(`${folder}.lock`, () => {
      if (fs.existsSync(complete)) return
      log(`installing Python packages into ${folder}`)
      run('python3', ['-m', 'venv', '--clear', folder])
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps']
      run(python, [...pip, '--requirement', requirements])
      fs.writeFileSync(complete, '')
    })
  }
  return python
}

function run(command, args) {
  const ended = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], timeout: INSTALL_LIMIT_MS })
  if (ended.status !== 0) {
    const why = ended.error ?? `exit code ${ended.status ?? ended.signal}`
    throw new Error(`${command} ${args.join(' ')} failed (${why})`)
  }
}

/** Runs `act` while no other process does so with the same file; a lock whose process is gone does not count. */
function withLock(file, act) {
  const end = Date.now() + INSTALL_LIMIT_MS
  fs.mkdirSync(path.dirname(file), { recursive: true })
  for (;;) {
    try {
      fs.writeFileSync(file, `${process.pid}`, { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const owner = Number(fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : 0)
    if (owner && !isAlive(owner)) fs.rmSync(file, { force: true })
    else if (Date.now() > end) throw new Error(`process ${owner} has held ${file} for too long`)
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  }
  try {
    act()
  } finally {
    fs.rmSync(file, { force: true })
  }
}
