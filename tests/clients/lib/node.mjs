// Starts and stops the node under test.

import { spawn } from 'node:child_process'
import net from 'node:net'
import path from 'node:path'

const START_LIMIT_MS = 20_000
const STOP_LIMIT_MS = 5_000
const PROBE_INTERVAL_MS = 50
const LOG_TAIL_LINES = 40
const LOG_BYTES_MAX = 256 * 1024

/** A TCP port of 127.0.0.1 that nobody uses at this moment. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Posts one JSON-RPC request; throws when the answer is not a result. */
export async function ask(url, method, params = [], timeoutMs = 5_000) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(timeoutMs) })
  const answer = await response.json()
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`)
  return answer.result
}

/**
 * Starts `command args`, waits until it answers eth_chainId at `url` (for `limitMs` at most), and returns `{ stop, tail, readyMs }`.
 * The process leads a group of its own, so that `stop` reaches whatever it started; a watcher ends the group
 * also when this process dies without a chance to do so.
 */
export async function startNode(command, args, url, limitMs = START_LIMIT_MS) {
  const started = Date.now()
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-LOG_BYTES_MAX)
    })
  }
  let ended
  const exit = new Promise((resolve) => {
    child.once('error', (error) => resolve((ended = `could not be started: ${error.message}`)))
    child.once('exit', (code, signal) => resolve((ended = `ended with ${signal ?? `exit code ${code}`}`)))
  })
  const watcher = child.pid && watch(child.pid)
  const killNow = () => killGroup(child.pid, 'SIGKILL')
  process.once('exit', killNow)

  const stop = async () => {
    killGroup(child.pid, 'SIGTERM')
    await Promise.race([exit, sleep(STOP_LIMIT_MS)])
    killNow() // what the leader left behind, or the leader itself
    if (child.pid) await exit
    process.removeListener('exit', killNow)
    watcher?.stdin.end('done\n')
  }
  const tail = () => log.split('\n').slice(-LOG_TAIL_LINES).join('\n')
  const fail = async (what) => {
    await stop()
    throw new Error(`${path.basename(command)} ${args.join(' ')}: ${what}; the end of its log:\n${tail()}`)
  }

  while (Date.now() - started < limitMs) {
    if (ended) return fail(ended)
    try {
      await ask(url, 'eth_chainId', [], 1_000)
      return { stop, tail, readyMs: Date.now() - started, ended: () => ended }
    } catch {
      await sleep(PROBE_INTERVAL_MS)
    }
  }
  return fail(`no answer to eth_chainId within ${limitMs / 1000} s`)
}

/** Kills the group when the pipe closes without the word "done", that is, when this process is gone. */
function watch(pid) {
  const script = `read word; [ "$word" = done ] || kill -s KILL -- -${pid} 2>/dev/null`
  return spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
}

function killGroup(pid, signal) {
  try {
    if (pid) process.kill(-pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
