// The same token by forge and cast, which estimate gas and choose fees themselves.

import { runTool } from '../../clients/lib/commands.mjs'
import { ethers } from '../lib/chain.mjs'

export const accounts = 2

const SUPPLY = 10n ** 24n

export async function run(session) {
  const [owner, spender] = session.accounts
  const fresh = session.fresh()
  const hashOf = async (tool, url, args, cwd) => {
    const { stdout } = await runTool(tool, args, { url, cwd })
    return JSON.parse(stdout).transactionHash
  }
  const token = ethers.getCreateAddress({ from: owner.address, nonce: 0 })

  const created = await session.command('forge create', async (url, key) => {
    const constructor = ['--constructor-args', 'Workload Token', 'WLT', `${SUPPLY}`]
    const args = ['create', 'src/Erc20.sol:Erc20', '--broadcast', '--json', '--private-key', key, ...constructor]
    return hashOf('forge', url, args, session.project())
  })
  const missing = created ? undefined : '"forge create" failed'
  const send = (call, from, method, ...args) => {
    const act = (url, key) => hashOf('cast', url, ['send', token, method, ...args, '--json', '--private-key', key])
    return session.command(call, act, { from, missing })
  }
  await send('cast send transfer', 0, 'transfer(address,uint256)', fresh, '1000')
  await send('cast send approve', 0, 'approve(address,uint256)', spender.address, '500')
  await send('cast send transferFrom', 1, 'transferFrom(address,address,uint256)', owner.address, fresh, '500')
  await send('cast send burn', 0, 'burn(uint256)', '7')

  const cast = async (...args) => (await runTool('cast', args, { url: session.chain.url })).stdout
  const call =
    (...args) =>
    async () => ({ value: (await cast('call', token, ...args)).trim() })
  await session.value('cast call name', call('name()(string)'), missing)
  await session.value('cast call totalSupply', call('totalSupply()(uint256)'), missing)
  await session.value('cast call balanceOf', call('balanceOf(address)(uint256)', fresh), missing)
  // Immutables are in it, among them the chain id and its own address: the same on both nodes.
  const code = async () => ({ value: ethers.keccak256((await cast('code', token)).trim()) })
  await session.value('cast code', code, missing)
}
