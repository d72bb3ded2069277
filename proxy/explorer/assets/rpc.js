// JSON-RPC to the node that serves this page.

/** What the node is asked at once; it would take 1,000. */
const BATCH_MAX = 100
/** How long an answer may take. */
const ANSWER_MS_MAX = 30_000

/** What stands for the answer to a call that is missing in the answers of a batch. */
const UNANSWERED = { error: { code: -32603, message: 'The node left a call unanswered.' } }

/** An error that the node gave for a call. */
export class RpcFailure extends Error {
  constructor({ code, message, data }) {
    super(message)
    this.name = 'RpcFailure'
    this.code = code
    this.data = data
  }
}

async function post(body, signal) {
  const signals = [AbortSignal.timeout(ANSWER_MS_MAX), ...(signal ? [signal] : [])]
  let response
  try {
    response = await fetch('/', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.any(signals),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Error(error.name === 'TimeoutError' ? 'The node takes too long to answer.' : 'The node does not answer.')
  }
  if (!response.ok) throw new Error(`The node answers with HTTP ${response.status}.`)
  try {
    return await response.json()
  } catch (error) {
    throw new Error('The node answers with something that is no JSON-RPC.', { cause: error })
  }
}

const request = ([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params })

const outcomeOf = ({ result, error }) => (error ? new RpcFailure(error) : result)

/** The result of a call. */
export async function call(method, ...params) {
  const outcome = outcomeOf(await post(request([method, ...params], 0)))
  if (outcome instanceof RpcFailure) throw outcome
  return outcome
}

/** For each of `calls`, `[method, ...params]`, its result or an `RpcFailure`. */
export async function settle(calls, signal) {
  const outcomes = []
  for (let start = 0; start < calls.length; start += BATCH_MAX) {
    const requests = calls.slice(start, start + BATCH_MAX).map(request)
    const answers = await post(requests, signal)
    // An error for the whole batch is an object.
    if (!Array.isArray(answers)) throw new RpcFailure(answers.error)
    const byId = new Map(answers.map((answer) => [answer.id, answer]))
    outcomes.push(...requests.map(({ id }) => outcomeOf(byId.get(id) ?? UNANSWERED)))
  }
  return outcomes
}

/** The results of `calls`; throws when one failed. */
export async function callAll(calls, signal) {
  const outcomes = await settle(calls, signal)
  const failure = outcomes.find((outcome) => outcome instanceof RpcFailure)
  if (failure) throw failure
  return outcomes
}
