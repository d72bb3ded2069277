// One workload on one node. Every named call leaves a record; a call that fails does not end the workload.
//
// A record is `{ kind, name }` and one of
//   skipped                     why it was not sent: a contract that it needs is not there
//   error                       the node's words, when it refused it
//   (kind `transaction`)        expected (the status that the workload wants), status, gas (the EVM's), rentGas,
//                               logs, bloom, created, type, from, to, ms, solana
//   (kind `value`)              value: what a view returned, or `{ reverted: data }`

import { artifact, linked, published } from './artifacts.mjs'
import { NoReceipt, ethers, nodeMessage } from './chain.mjs'
import { onSolana, rentGas } from './solana.mjs'

/** A contract that may be missing on this node, because the call that creates it failed. */
class Handle {
  constructor(address, abi, missing) {
    this.address = address
    this.interface = new ethers.Interface(abi)
    this.missing = missing
  }

  /** Calldata of a call; other contracts may be arguments. */
  encode(method, args = []) {
    const { values } = resolved(args)
    return this.interface.encodeFunctionData(method, values)
  }
}

/** Arguments with contracts replaced by their addresses, and why one of those is missing. */
function resolved(args) {
  let missing
  const value = (argument) => {
    if (argument instanceof Handle) {
      missing ??= argument.missing
      return argument.address
    }
    if (Array.isArray(argument)) return argument.map(value)
    if (argument !== null && typeof argument === 'object' && argument.constructor === Object) {
      return Object.fromEntries(Object.entries(argument).map(([name, part]) => [name, value(part)]))
    }
    return argument
  }
  return { values: args.map(value), missing: () => missing }
}

/** Values as JSON has them. */
function plain(value) {
  if (typeof value === 'bigint') return `${value}`
  if (value !== null && typeof value === 'object' && Symbol.iterator in value) return [...value].map(plain)
  return value
}

export class Session {
  /**
   * `label` names this run of the workload: its accounts come from it. They are funded and have no transactions
   * before. `project()` is the folder of a forge project with our contracts.
   */
  constructor(chain, label, { accounts, project }) {
    const keys = Array.from({ length: accounts }, (_, i) => ethers.id(`account ${i} of ${label}`))
    this.chain = chain
    this.label = label
    this.project = project
    this.artifact = artifact
    this.published = published
    this.accounts = keys.map((key) => new ethers.Wallet(key))
    this.nonces = keys.map(() => 0)
    this.records = []
    this.stuck = undefined
  }

  /** An address that nobody has used. */
  fresh(name = '') {
    return ethers.getAddress(ethers.dataSlice(ethers.id(`fresh ${name} of ${this.label}`), 12))
  }

  /** A handle of a contract that another contract created; it is missing if there is no code. */
  async at(name, address) {
    const code = await this.chain.rpc('eth_getCode', address, 'latest')
    return new Handle(
      address,
      artifact(name).abi,
      code === '0x' ? `there is no ${name} at ${address}` : undefined,
    )
  }

  /** Deploys a contract by name; `libraries` are handles by name. */
  async deploy(call, name, args = [], { from = 0, value = 0n, libraries = {} } = {}) {
    const { abi, ...rest } = artifact(name)
    const { values, missing } = resolved(args)
    const links = resolved([libraries])
    const why = missing() ?? links.missing()
    const address = ethers.getCreateAddress({ from: this.accounts[from].address, nonce: this.nonces[from] })
    const constructor = new ethers.Interface(abi).encodeDeploy(values)
    const data = ethers.concat([linked(rest, links.values[0]), constructor])
    const receipt = await this.raw(call, { data, value }, { from, missing: why })
    const created = receipt !== undefined && BigInt(receipt.status) === 1n
    return new Handle(address, abi, created ? undefined : `"${call}" failed`)
  }

  /**
   * Calls a method of a contract in a transaction. `varying` names what may differ: `{ event: [parameters] }`;
   * `fails` says that its status is 0 on any node. `deviation(said)` gets the outcome of a receipt, or what a refusal says,
   * and tells why that is one of Parhelion's documented deviations, if it is: then the call is skipped with that reason.
   */
  async send(call, contract, method, args = [], { from = 0, value = 0n, ...options } = {}) {
    const { values, missing } = resolved(args)
    const data = contract.interface.encodeFunctionData(method, values)
    const to = contract.address
    const why = contract.missing ?? missing()
    return this.raw(call, { to, data, value }, { from, missing: why, contract, varying: {}, ...options })
  }

  /** Sends a transaction; its receipt, or undefined when the node refused it. */
  async raw(call, request, { from = 0, ...options } = {}) {
    const sign = () =>
      this.accounts[from].signTransaction({ ...this.chain.envelope(), ...request, nonce: this.nonces[from] })
    return this.#transaction(call, { from, ...options }, async () => this.chain.land(await sign()))
  }

  /** Sends what somebody else signed. */
  async signed(call, transaction, options = {}) {
    return this.#transaction(call, options, () => this.chain.land(transaction))
  }

  /** Runs a command that sends one transaction of `from`; `act(url, key)` returns its hash. */
  async command(call, act, { from = 0, missing } = {}) {
    const { url } = this.chain
    const key = this.accounts[from].privateKey
    return this.#transaction(call, { from, missing }, () => this.chain.measure(() => act(url, key)))
  }

  async #transaction(call, { from, missing, contract, varying, deviation, fails = false }, land) {
    const record = this.#record('transaction', call)
    record.expected = fails ? 0 : 1
    const skipped = this.stuck ?? missing
    // The nonce is used all the same: the addresses of later contracts depend on it.
    if (skipped) {
      record.skipped = skipped
      if (from !== undefined) await this.#useNonce(from)
      return undefined
    }
    try {
      const { receipt, ms, counted, run } = await land()
      if (from !== undefined) this.nonces[from] += 1
      record.skipped = deviation?.(receipt.outcome)
      if (record.skipped) return undefined
      Object.assign(record, {
        status: Number(receipt.status),
        gas: BigInt(receipt.gasUsed) - rentGas(receipt),
        rentGas: rentGas(receipt),
        logs: receipt.logs.map((log) => comparable(log, contract, varying)),
        bloom: receipt.logsBloom,
        created: receipt.contractAddress ?? null,
        type: Number(receipt.type),
        from: receipt.from,
        to: receipt.to ?? null,
        ms,
        solana: onSolana(receipt, counted, run),
        outcome: receipt.outcome,
      })
      return receipt
    } catch (error) {
      record.error = nodeMessage(error)
      record.skipped = deviation?.(record.error)
      if (error instanceof NoReceipt) this.stuck = `"${call}" is still waiting`
      else if (from !== undefined) await this.#useNonce(from)
      return undefined
    }
  }

  /** Uses the next nonce of an account that a failed call did not use, with a transfer of nothing to itself. */
  async #useNonce(from) {
    const account = this.accounts[from]
    const nonce = this.nonces[from]
    this.nonces[from] += 1
    if (this.stuck || (await this.chain.nonce(account.address)) > nonce) return
    const request = { ...this.chain.envelope(), to: account.address, nonce }
    try {
      await this.chain.land(await account.signTransaction(request))
    } catch (error) {
      this.stuck = `the nonce of ${account.address} could not be used: ${nodeMessage(error)}`
    }
  }

  /** What a view returns, as a record. */
  async view(call, contract, method, args = [], { from } = {}) {
    const { values, missing } = resolved(args)
    await this.value(call, () => this.#call(contract, method, values, from), contract.missing ?? missing())
  }

  /** What a view returns, for the workload itself; `otherwise` when the contract is missing or the call fails. */
  async read(contract, method, args = [], otherwise = undefined) {
    const { values, missing } = resolved(args)
    if (contract.missing ?? missing()) return otherwise
    try {
      return (await this.readAll(contract, method, values))[0]
    } catch {
      return otherwise
    }
  }

  /** All that a view returns, by position and name; throws when the call fails. */
  async readAll(contract, method, args = []) {
    return (await this.#call(contract, method, args)).value
  }

  async #call(contract, method, args, from = this.accounts[0].address) {
    const data = contract.interface.encodeFunctionData(method, args)
    const result = await this.chain.rpc('eth_call', { from, to: contract.address, data }, 'latest')
    return { value: contract.interface.decodeFunctionResult(method, result) }
  }

  /** The balance of an address that sends nothing, in wei. */
  async balance(call, address) {
    await this.value(call, async () => ({
      value: BigInt(await this.chain.rpc('eth_getBalance', address, 'latest')),
    }))
  }

  /** Records what `get` returns as `{ value }`; a revert is a value too. */
  async value(call, get, missing) {
    const record = this.#record('value', call)
    const skipped = this.stuck ?? missing
    if (skipped) {
      record.skipped = skipped
      return
    }
    try {
      record.value = plain((await get()).value)
    } catch (error) {
      const said = error.info?.error ?? error.error
      if (typeof said?.data === 'string') record.value = { reverted: said.data }
      else record.error = nodeMessage(error)
    }
  }

  /** Makes `count` blocks, each with a transfer of nothing; no records. */
  async pass(count, from = 0) {
    for (let i = 0; i < count; i++) await this.#useNonce(from)
  }

  /** See `Chain.nextSecond`. */
  async nextSecond() {
    await this.chain.nextSecond()
  }

  #record(kind, name) {
    if (this.records.some((record) => record.name === name))
      throw new Error(`there are two calls named "${name}"`)
    const record = { kind, name }
    this.records.push(record)
    return record
  }
}

/** A log as it is compared; parameters that may vary become zero. */
function comparable({ address, topics, data }, contract, varying = {}) {
  const log = { address: ethers.getAddress(address), topics, data }
  if (Object.keys(varying).length === 0 || log.address !== contract.address) return log
  const event = contract.interface.parseLog(log)
  const names = varying[event?.name]
  if (!names) return log
  const parts = event.fragment.inputs.map((input, i) => ({
    input,
    value: names.includes(input.name) ? 0n : event.args[i],
  }))
  const unindexed = parts.filter(({ input }) => !input.indexed)
  const masked = ethers.AbiCoder.defaultAbiCoder().encode(
    unindexed.map(({ input }) => input),
    unindexed.map(({ value }) => value),
  )
  return { ...log, data: masked }
}
