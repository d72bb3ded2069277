// What people read: a line a call while it runs, and tables of figures.

const MARKS = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' }

const number = (value) => (value === undefined ? '–' : BigInt(value).toLocaleString('en'))

/** The line of one call; values that are equal have none. */
export function line(workload, { kind, name, verdict, details, ours }) {
  const said = details.length > 0 ? details.join('; ') : 'equal'
  const head = `${MARKS[verdict]} ${workload}: ${kind === 'value' ? `value ${name}` : name}: ${said}`
  if (kind === 'value' || ours?.status === undefined) return head
  const parts = [`gas ${number(ours.gas)}`]
  if (ours.rentGas) parts.push(`rent gas ${number(ours.rentGas)}`)
  parts.push(`${number(ours.ms)} ms`)
  const { transactions, computeUnits, steppingComputeUnits } = ours.solana
  if (transactions !== undefined) parts.push(`${transactions} Solana tx`)
  if (computeUnits !== undefined) parts.push(`${number(computeUnits)} CU`)
  if (steppingComputeUnits !== undefined) parts.push(`${number(steppingComputeUnits)} CU stepping`)
  return `${head} (${parts.join(', ')})`
}

/** How many calls passed, failed and were skipped. */
export function counts(results) {
  const all = results.flatMap(({ entries }) => entries)
  const [passed, failed, skipped] = Object.keys(MARKS).map(
    (verdict) => all.filter((entry) => entry.verdict === verdict).length,
  )
  return { passed, failed, skipped }
}

/** Adds up what is known; undefined when nothing is. */
function sum(values) {
  const known = values.filter((value) => value !== undefined)
  return known.length > 0 ? known.reduce((total, value) => total + BigInt(value), 0n) : undefined
}

const row = (cells) => `| ${cells.join(' | ')} |`

/** The transactions of a workload that got a receipt. */
const landed = ({ entries }) => entries.filter(({ ours }) => ours?.status !== undefined)

/** One row of figures: of one transaction, or of several together. */
function figures(name, entries) {
  const all = (pick) => sum(entries.map(({ ours }) => pick(ours)))
  return row([
    name,
    number(all((ours) => ours.gas)),
    number(all((ours) => ours.rentGas)),
    number(all((ours) => ours.solana.transactions)),
    number(all((ours) => ours.solana.computeUnits)),
    number(all((ours) => ours.solana.steppingComputeUnits)),
    number(all((ours) => ours.ms)),
  ])
}

const COLUMNS = ['EVM gas', 'rent gas', 'Solana transactions', 'CU', 'CU lost to stepping', 'ms to receipt']

/** The figures of all workloads in Markdown. */
export function figuresTable({ target, command, results }) {
  const head = (first) => [row([first, ...COLUMNS]), row(['---', ...COLUMNS.map(() => '---:')])]
  const incomplete = ({ entries }) => entries.some(({ verdict }) => verdict !== 'passed')
  const lines = [
    '# Real workloads: figures',
    '',
    `Written by \`${command}\` on ${target}. \`–\` is what is not known: see`,
    '[lib/solana.mjs](lib/solana.mjs) for where the figures come from. Times are of the machine that ran it, and those',
    'of forge and cast include the tools. A star marks workloads of which a call failed.',
    '',
    ...head('workload'),
    ...results.map((result) => figures(`${result.name}${incomplete(result) ? ' *' : ''}`, landed(result))),
  ]
  for (const result of results) {
    lines.push('', `## ${result.name}`, '', ...head('call'))
    for (const entry of result.entries.filter(({ kind }) => kind === 'transaction')) {
      const done = entry.ours?.status !== undefined
      const name = entry.verdict === 'passed' ? entry.name : `${entry.name} (${entry.verdict})`
      lines.push(done ? figures(name, [entry]) : row([name, ...COLUMNS.map(() => '–')]))
    }
  }
  return `${lines.join('\n')}\n`
}

/** Everything, for programs. */
export const asJson = (report) =>
  `${JSON.stringify(report, (_, value) => (typeof value === 'bigint' ? `${value}` : value), 2)}\n`
