#!/usr/bin/env node
// Runs the workloads on a node and on anvil, and compares what both did. See README.md.
// The last line of the output is `N passed, N failed, N skipped`; the exit code is 0 only when nothing failed.

import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { forgeProject } from '../clients/lib/commands.mjs'
import { CONTRACTS_DIR, OPTIMIZER, artifact } from './lib/artifacts.mjs'
import { compare } from './lib/compare.mjs'
import { Operator } from './lib/operator.mjs'
import { SOURCE_DIR, install, packages } from './lib/packages.mjs'
import { asJson, counts, figuresTable, line } from './lib/report.mjs'

const USAGE = `usage: node run.mjs (--rpc URL | --binary PATH | --localnet PATH | --anvil)
       [--only NAME ...] [--seed TEXT] [--values] [--json FILE] [--figures FILE]
  --rpc URL       a node that runs already; the first account of the development mnemonic pays
  --binary PATH   start \`PATH dev --listen 127.0.0.1:<free port>\` and stop it at the end
  --localnet PATH start \`PATH --listen 127.0.0.1:<free port>\`, a node on a validator (see \`cargo xtask localnet\`)
  --without-v1    with --localnet: a validator without Solana's transaction format V1
  --anvil         a second anvil, to test the workloads
  --solana URL, --operator ADDRESS
                  with --rpc: count the Solana transactions of the node's operator at its cluster
  --hardfork NAME the hardfork of that second anvil: another one than Osaka must be noticed
  --only NAME     run only this workload; may be repeated
  --seed TEXT     what the accounts are derived from; a node that was used before needs another one
  --values        show a line for equal values too
  --json FILE     write everything as JSON
  --figures FILE  write a table of figures`

const CASES_DIR = path.join(SOURCE_DIR, 'cases')

function parse() {
  const options = {
    rpc: { type: 'string' },
    binary: { type: 'string' },
    localnet: { type: 'string' },
    'without-v1': { type: 'boolean' },
    solana: { type: 'string' },
    operator: { type: 'string' },
    anvil: { type: 'boolean' },
    hardfork: { type: 'string' },
    only: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    values: { type: 'boolean' },
    json: { type: 'string' },
    figures: { type: 'string' },
    help: { type: 'boolean' },
  }
  try {
    const { values } = parseArgs({ options })
    const targets = ['rpc', 'binary', 'localnet', 'anvil'].filter((name) => values[name] !== undefined)
    if (values.help || targets.length !== 1) throw new Error(values.help ? '' : 'exactly one node is needed')
    if (!values.solana !== !values.operator) throw new Error('--solana and --operator belong together')
    return { ...values, names: names(values.only) }
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`.trim())
    process.exit(2)
  }
}

function names(wanted) {
  const all = fs
    .readdirSync(CASES_DIR)
    .map((file) => path.basename(file, '.mjs'))
    .sort()
  const unknown = (wanted ?? []).filter((name) => !all.includes(name))
  if (unknown.length > 0)
    throw new Error(`no such workload: ${unknown.join(', ')} (there are: ${all.join(', ')})`)
  return wanted ?? all
}

/** One forge project for the whole run: what it compiled for one node it has for the other. */
function lazyProject() {
  let project
  const settings = { optimizer: OPTIMIZER.enabled, optimizer_runs: OPTIMIZER.runs }
  return {
    root: () => (project ??= forgeProject(CONTRACTS_DIR, packages.modules(), settings)).root,
    remove: () => project?.remove(),
  }
}

const operator = ({ solana, operator }) => (solana ? new Operator(solana, operator) : undefined)

/** Runs one workload on both nodes; `{ name, entries }`. */
async function runWorkload(name, { reference, target, seed, project }) {
  // The packages are there only now.
  const { Session } = await import('./lib/session.mjs')
  const { fund } = await import('./lib/nodes.mjs')
  const workload = await import(`./cases/${name}.mjs`)
  const runs = []
  for (const chain of [reference, target]) {
    const session = new Session(chain, `${name} ${seed}`, { accounts: workload.accounts, project })
    await fund(chain, session.accounts)
    const ended = await workload.run(session).then(
      () => undefined,
      (error) => `the workload ended early: ${error.stack ?? error}`,
    )
    if (ended && chain === reference) throw new Error(`${name} on the reference: ${ended}`)
    runs.push({ records: session.records, ended })
  }
  return { name, entries: compare(runs[0].records, runs[1].records, runs[1].ended) }
}

async function main() {
  const args = parse()
  install(console.log)
  artifact('Loop') // compile once, before the clock runs
  const { connectReference, connectTarget, startAnvil, startLocalnet, startParhelion } = await import(
    './lib/nodes.mjs'
  )
  const nodes = []
  const chains = []
  const project = lazyProject()
  const stop = async () => {
    chains.forEach((chain) => chain.close())
    await Promise.all(nodes.map((node) => node.stop()))
    project.remove()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => stop().finally(() => process.exit(1)))
  }
  const results = []
  try {
    if (args.binary) nodes.push(await startParhelion(args.binary))
    if (args.localnet) nodes.push(await startLocalnet(args.localnet, args['without-v1'] ? ['--without-v1'] : []))
    if (args.anvil) nodes.push(await startAnvil(undefined, args.hardfork))
    const own = { log: nodes[0]?.tail, isOwn: args.binary !== undefined, operator: operator(args) }
    const target = await connectTarget(nodes[0]?.url ?? args.rpc, own)
    chains.push(target)
    nodes.push(await startAnvil(target))
    const reference = await connectReference(nodes.at(-1).url, target)
    chains.push(reference)
    console.log(`${target.version} compared with ${reference.version}`)
    for (const name of args.names) {
      const result = await runWorkload(name, { reference, target, seed: args.seed, project: project.root })
      results.push(result)
      const told = result.entries.filter(
        (entry) => args.values || entry.kind !== 'value' || entry.verdict !== 'passed',
      )
      told.forEach((entry) => console.log(line(name, entry)))
      const equal = result.entries.filter((entry) => entry.kind === 'value' && entry.verdict === 'passed')
      console.log(`     ${name}: ${equal.length} values equal`)
    }
    const report = { target: target.version, reference: reference.version, seed: args.seed, results }
    const command = 'node tests/workloads/run.mjs --figures FILE'
    if (args.json) fs.writeFileSync(args.json, asJson(report))
    if (args.figures) fs.writeFileSync(args.figures, figuresTable({ ...report, command }))
  } finally {
    await stop()
  }
  const { passed, failed, skipped } = counts(results)
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
}

main().catch((error) => {
  console.error(`${error.stack ?? error}`)
  process.exit(1)
})
