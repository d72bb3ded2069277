// Deployment factories by their keyless transactions: signed once by nobody's key, with a gas limit and a price
// that cannot be changed. Their addresses are the same on every chain, and tools (`forge script`, Safe's) expect
// them there.
//
// A node that was used before has them already; then there is nothing to compare.

import { ethers } from '../lib/chain.mjs'

export const accounts = 1

/** Without a chain id (before EIP-155), 100 gwei a gas, 100,000 gas. */
const DETERMINISTIC_DEPLOYMENT_PROXY =
  '0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba02222222222222222222222222222222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222'

const CHILD = '0x600a600c600039600a6000f3602a60005260206000f3'

/** README, "rent gas". */
const deviation = (said) =>
  /out of rent gas/.test(said ?? '') ? 'its 100,000 gas do not cover the rent of the new accounts' : undefined

export async function run(session) {
  await factory('deterministic deployment proxy', DETERMINISTIC_DEPLOYMENT_PROXY)
  // Safe publishes one for each chain id.
  const path = `@safe-global/safe-singleton-factory/artifacts/${session.chain.id}/deployment.json`
  const safe = session.published(path)
  if (safe) await factory('Safe singleton factory', safe.transaction)

  async function factory(name, transaction) {
    const { from } = ethers.Transaction.from(transaction)
    const address = ethers.getCreateAddress({ from, nonce: 0 })
    const used = (await session.chain.nonce(from)) > 0 && 'this node has had it before'
    await session.raw(`pay the signer of the ${name}`, { to: from, value: 10n ** 16n }, { missing: used })
    await session.signed(`deploy the ${name}`, transaction, { missing: used, deviation })
    const code = await session.chain.rpc('eth_getCode', address, 'latest')
    const missing = used || (code === '0x' && `there is no code at ${address}`)
    const data = ethers.concat([ethers.ZeroHash, CHILD])
    await session.raw(`deploy by the ${name}`, { to: address, data }, { missing })
    await session.value(`code of the ${name}`, async () => ({ value: code }), missing)
  }
}
