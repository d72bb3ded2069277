// A program that runs until it is stopped, and says over HTTP when it is ready.

import { spawn } from 'node:child_process'

const PROBE_INTERVAL_MS = 200
const LOG_BYTES_MAX = 64 * 1024

/**
 * Starts `command args` and waits until `GET url` answers 200, for `limitMs` at most. It leads a process group, all of which
 * `stop` ends, as does the end of this process.
 */
export async function startService(command, args, { url, limitMs, ...options }) {
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (log = (log + text).slice(-LOG_BYTES_MAX)))
  }
  let ended
  const exit = new Promise((resolve) => {
    child.once('error', (error) => resolve((ended = error.message)))
    child.once('exit', (code, signal) => resolve((ended = `ended with ${signal ?? `exit code ${code}`}`)))
  })
  const kill = () => {
    if (child.pid && !ended) process.kill(-child.pid, 'SIGKILL')
  }
  process.once('exit', kill)
  const stop = async () => {
    kill()
    await exit
    process.removeListener('exit', kill)
  }

  for (const end = Date.now() + limitMs; Date.now() < end && !ended; ) {
    if (await answers(url)) return { stop, log: () => log }
    await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL_MS))
  }
  await stop()
  throw new Error(`${command} ${args.join(' ')} was not ready within ${limitMs / 1000} s (${ended}); its log:\n${log}`)
}

async function answers(url) {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).status === 200
  } catch {
    return false
  }
}
