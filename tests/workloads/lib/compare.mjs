// Compares what two nodes did with the same calls.
//
// Left out, because it differs between any two chains: block number, block hash, timestamp, gas price, transaction
// hash (it covers the gas limit), cumulative gas, log indices in a block; and the part of `gasUsed` that paid
// rent.

/** What must be equal, in the order in which differences are told. */
const TRANSACTION_FIELDS = ['status', 'gas', 'created', 'type', 'from', 'to', 'logs', 'bloom']

const SHOWN_MAX = 120
const LOGS_SHOWN_MAX = 2

const json = (value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}` : part))
const shown = (value) => {
  const text = typeof value === 'string' ? value : (json(value) ?? 'nothing')
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text
}

/** Addresses in any spelling. */
const normal = (value) => (json(value) ?? 'undefined').replace(/0x[0-9a-fA-F]*/g, (hex) => hex.toLowerCase())

/**
 * One entry a call: `{ kind, name, verdict, details, ours, theirs }`, `ours` of the node under test and `theirs`
 * of the reference. The verdict is `passed`, `failed` or `skipped`; the details say what differs, or why it did
 * not run. `ended` says why our run ended early, if it did.
 */
export function compare(theirs, ours, ended) {
  const found = new Map(ours.map((record) => [record.name, record]))
  const entries = theirs.map((reference) => {
    const own = found.get(reference.name)
    found.delete(reference.name)
    return {
      kind: reference.kind,
      name: reference.name,
      ours: own,
      theirs: reference,
      ...verdict(reference, own, ended),
    }
  })
  const unexpected = [...found.values()].map((own) => {
    return {
      kind: own.kind,
      name: own.name,
      ours: own,
      verdict: 'failed',
      details: ['the reference has no such call'],
    }
  })
  const all = [...entries, ...unexpected]
  // What a failed call did not do, later ones miss: the first failure of a workload is the one to look at.
  const first = all.findIndex((entry) => entry.verdict === 'failed')
  return all.map((entry, i) =>
    entry.verdict === 'failed' && i > first
      ? { ...entry, details: [...entry.details, 'after a failed call'] }
      : entry,
  )
}

function verdict(theirs, ours, ended) {
  // A workload that does not work on the reference shows nothing.
  const isWrong = theirs.status !== undefined && theirs.status !== theirs.expected
  const problem = theirs.error ?? theirs.skipped ?? (isWrong ? `status ${theirs.status}` : undefined)
  if (problem) return { verdict: 'failed', details: [`the reference: ${problem}`] }
  if (!ours) return { verdict: 'skipped', details: [ended ?? 'the node was not asked'] }
  if (ours.skipped) return { verdict: 'skipped', details: [ours.skipped] }
  if (ours.error) return { verdict: 'failed', details: [ours.error] }
  const details =
    ours.kind === 'transaction' ? differences(theirs, ours) : valueDifference(theirs.value, ours.value)
  return { verdict: details.length > 0 ? 'failed' : 'passed', details }
}

function differences(theirs, ours) {
  const fields = TRANSACTION_FIELDS.filter((field) => normal(theirs[field]) !== normal(ours[field]))
  // What follows from another difference is not told: the records have everything.
  const follows = (field) =>
    (field === 'bloom' && fields.includes('logs')) ||
    (['logs', 'bloom', 'created'].includes(field) && fields.includes('status'))
  const details = fields
    .filter((field) => !follows(field))
    .flatMap((field) =>
      field === 'logs'
        ? logDifferences(theirs.logs, ours.logs)
        : [`${field} ${told(theirs[field], ours[field])}`],
    )
  if (fields.includes('status') && ours.outcome) details.push(`the node calls it ${ours.outcome}`)
  return details
}

function logDifferences(theirs, ours) {
  if (theirs.length !== ours.length) return [`logs ${told(theirs.length, ours.length)}`]
  const all = theirs.flatMap((log, i) =>
    Object.keys(log)
      .filter((field) => normal(log[field]) !== normal(ours[i][field]))
      .map((field) => `log ${i}: ${field} ${told(log[field], ours[i][field])}`),
  )
  const more = all.length > LOGS_SHOWN_MAX ? [`${all.length - LOGS_SHOWN_MAX} more differences of logs`] : []
  return [...all.slice(0, LOGS_SHOWN_MAX), ...more]
}

const valueDifference = (theirs, ours) => (normal(theirs) === normal(ours) ? [] : [told(theirs, ours)])

const told = (theirs, ours) =>
  typeof theirs === 'bigint' && typeof ours === 'bigint'
    ? `${ours}, expected ${theirs} (${ours > theirs ? '+' : ''}${ours - theirs})`
    : `${shown(ours)}, expected ${shown(theirs)}`
