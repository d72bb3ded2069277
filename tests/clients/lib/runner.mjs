// Runs the tests of a folder against a node: starts the node, runs *.test.mjs, stops the node.
// The last line of the output is `N passed, N failed, N skipped`; the exit code is 0 only when nothing failed.

import fs from 'node:fs'
import path from 'node:path'
import { run } from 'node:test'
import { parseArgs } from 'node:util'
import { artifacts } from './contracts.mjs'
import { ask, freePort, startNode } from './node.mjs'
import { foundryTool, install } from './packages.mjs'

const USAGE = `usage: node run.mjs (--binary PATH | --rpc-url URL | --anvil) [FILE.test.mjs ...] [--name PATTERN]
  --binary PATH   start \`PATH dev --listen 127.0.0.1:<free port>\` and stop it at the end
  --rpc-url URL   use a node that runs already
  --anvil         start the anvil of the installed packages, to test the tests
  --name PATTERN  run only tests whose name matches the regular expression
  FILE            run only these files (names in this folder)`

const FILE_LIMIT_MS = 600_000

function parse(folder) {
  const options = {
    binary: { type: 'string' },
    'rpc-url': { type: 'string' },
    anvil: { type: 'boolean' },
    name: { type: 'string' },
    help: { type: 'boolean' },
  }
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    const targets = ['binary', 'rpc-url', 'anvil'].filter((name) => values[name] !== undefined)
    if (values.help || targets.length !== 1) throw new Error(values.help ? '' : 'exactly one node is needed')
    return { ...values, files: testFiles(folder, positionals) }
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`.trim())
    process.exit(2)
  }
}

function testFiles(folder, wanted) {
  const all = fs.readdirSync(folder).filter((name) => name.endsWith('.test.mjs')).sort()
  const names = wanted.map((name) => path.basename(name))
  const unknown = names.filter((name) => !all.includes(name))
  if (unknown.length > 0) throw new Error(`no such test file: ${unknown.join(', ')} (there are: ${all.join(', ')})`)
  return (names.length > 0 ? names : all).map((name) => path.join(folder, name))
}

async function start({ binary, anvil }, options) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const node = anvil
    ? await startNode(foundryTool('anvil'), ['--port', `${port}`, '--hardfork', 'osaka', ...options], url)
    : await startNode(path.resolve(binary), ['dev', '--listen', `127.0.0.1:${port}`, ...options], url)
  console.log(`node ready at ${url} after ${node.readyMs} ms`)
  return { ...node, url }
}

/** Runs the files one after the other (block numbers are asserted, and the machine may be small). */
async function runTests({ files, name }) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const failures = []
  let file
  const testNamePatterns = name ? [new RegExp(name)] : undefined
  const stream = run({ files, concurrency: 1, timeout: FILE_LIMIT_MS, testNamePatterns })
  const show = (mark, data) => {
    if (data.file !== file) console.log(`# ${path.basename((file = data.file) ?? '')}`)
    const why = typeof data.skip === 'string' ? ` (${data.skip})` : ''
    console.log(`${'  '.repeat(data.nesting)}${mark} ${data.name}${why} ${Math.round(data.details.duration_ms)} ms`)
  }
  const isSuite = (data) => data.details.type === 'suite'
  // With a name pattern, tests of other names are reported as skipped.
  const filteredOut = (data) => data.skip === 'test name does not match pattern'
  stream.on('test:pass', (data) => {
    if (isSuite(data) || filteredOut(data)) return
    counts[data.skip === undefined ? 'passed' : 'skipped'] += 1
    show(data.skip === undefined ? 'ok  ' : 'skip', data)
  })
  stream.on('test:fail', (data) => {
    // A suite fails because of the tests in it, which are counted; it counts itself when its hooks fail.
    if (isSuite(data) && data.details.error?.failureType === 'subtestsFailed') return
    counts.failed += 1
    const { error } = data.details
    show('FAIL', data)
    if (error?.failureType === 'cancelledByParent') return // the parent says why
    const cause = error?.cause ?? error
    failures.push(`${path.basename(data.file ?? '')}: ${data.name}\n${cause?.stack ?? cause?.message ?? cause}`)
  })
  stream.on('test:stderr', ({ message }) => process.stderr.write(message))
  stream.on('test:stdout', ({ message }) => process.stdout.write(message))
  for await (const _ of stream) {
    // the listeners above do the work
  }
  return { counts, failures }
}

async function main(folder, options) {
  const args = parse(folder)
  install(console.log)
  artifacts() // compile once, before the clock of the tests runs
  const own = args['rpc-url'] === undefined
  const node = own ? await start(args, options) : { url: args['rpc-url'], stop: async () => {} }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, async () => {
      await node.stop()
      process.exit(1)
    })
  }
  let result
  let died
  try {
    const version = await ask(node.url, 'web3_clientVersion')
    console.log(`testing ${version} with node ${process.version}, ${args.files.length} files`)
    process.env.PARHELION_RPC_URL = node.url
    process.env.PARHELION_EXCLUSIVE = own ? '1' : '0'
    if (args.binary) process.env.PARHELION_BINARY = path.resolve(args.binary)
    result = await runTests(args)
    died = node.ended?.()
  } finally {
    await node.stop()
  }
  const { counts, failures } = result
  for (const failure of failures) console.log(`\nFAILED ${failure}`)
  if (died) console.log(`\nthe node ${died} while it was tested`)
  if (failures.length > 0 && own) console.log(`\nthe end of the node's log:\n${node.tail()}`)
  if (counts.passed + counts.failed + counts.skipped === 0) throw new Error('no test ran')
  console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  process.exitCode = counts.failed > 0 || died ? 1 : 0
}

/** Runs the tests in `folder`, as the command line says. A node that is started gets `options` that all kinds know. */
export function runTestsOf(folder, options = []) {
  main(folder, options).catch((error) => {
    console.error(`${error.message ?? error}`)
    process.exit(1)
  })
}
