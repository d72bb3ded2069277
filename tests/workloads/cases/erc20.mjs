// OpenZeppelin's ERC-20 with permit and burning.

import { ethers } from '../lib/chain.mjs'

export const accounts = 2

const SUPPLY = 10n ** 24n

export async function run(session) {
  const [owner, spender] = session.accounts
  const fresh = session.fresh()
  const token = await session.deploy('deploy', 'Erc20', ['Workload Token', 'WLT', SUPPLY])
  await session.send('transfer to a fresh holder', token, 'transfer', [fresh, 1_000n])
  await session.send('transfer to a holder', token, 'transfer', [fresh, 2_000n])
  await session.send('approve', token, 'approve', [spender.address, 500n])
  await session.send('transferFrom', token, 'transferFrom', [owner.address, spender.address, 500n], { from: 1 })
  await session.send('transferFrom without allowance', token, 'transferFrom', [owner.address, fresh, 1n], {
    from: 1,
    fails: true,
  })
  await session.send('permit', token, 'permit', await permit(session, token, owner, spender, 77n), { from: 1 })
  await session.send('transferFrom after permit', token, 'transferFrom', [owner.address, fresh, 77n], { from: 1 })
  await session.send('transfer everything', token, 'transfer', [fresh, 500n], { from: 1 })
  await session.send('transfer too much', token, 'transfer', [fresh, 1n], { from: 1, fails: true })
  await session.send('burn', token, 'burn', [10n ** 20n])

  await session.view('name', token, 'name')
  await session.view('totalSupply', token, 'totalSupply')
  await session.view('domain', token, 'eip712Domain')
  await session.view('nonces(owner)', token, 'nonces', [owner.address])
  await session.view('allowance', token, 'allowance', [owner.address, spender.address])
  await session.view('a call that reverts', token, 'transfer', [fresh, 10n ** 30n])
  for (const [name, holder] of [
    ['owner', owner.address],
    ['spender', spender.address],
    ['fresh', fresh],
  ]) {
    await session.view(`balanceOf(${name})`, token, 'balanceOf', [holder])
  }
}

/** The arguments of a first `permit`, signed by its owner. */
async function permit(session, token, owner, spender, value) {
  const domain = {
    name: 'Workload Token',
    version: '1',
    chainId: session.chain.id,
    verifyingContract: token.address,
  }
  const types = {
    Permit: ['address owner', 'address spender', 'uint256 value', 'uint256 nonce', 'uint256 deadline'].map(
      (field) => {
        const [type, name] = field.split(' ')
        return { type, name }
      },
    ),
  }
  const deadline = ethers.MaxUint256
  const message = { owner: owner.address, spender: spender.address, value, nonce: 0n, deadline }
  const { v, r, s } = ethers.Signature.from(await owner.signTypedData(domain, types, message))
  return [owner.address, spender.address, value, deadline, v, r, s]
}
