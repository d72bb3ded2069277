// The largest contract that Ethereum allows (EIP-170), and one byte more.

import { runTool } from '../../clients/lib/commands.mjs'
import { ethers } from '../lib/chain.mjs'

export const accounts = 1

const CODE_SIZE_MAX = 24_576
/** PUSH1 42, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN: answers 42; what follows is never executed. */
const ANSWER = '0x602a5f5260205ff3'
/** PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: returns what follows it. */
const constructor = (size) => `0x61${size.toString(16).padStart(4, '0')}80600a5f395ff3`

/** Initialisation code of a contract of `size` bytes that do not repeat. */
function initCode(size, seed) {
  const parts = [ANSWER]
  for (let i = 0; 32 * i < size; i++) parts.push(ethers.id(`${seed} ${i}`))
  return ethers.concat([constructor(size), ethers.dataSlice(ethers.concat(parts), 0, size)])
}

export async function run(session) {
  const deploy = async (call, size, fails = false) => {
    const receipt = await session.raw(call, { data: initCode(size, call) }, { fails })
    return receipt?.contractAddress
  }
  const largest = await deploy('deploy 24,576 bytes', CODE_SIZE_MAX)
  await deploy('deploy 24,577 bytes, which fails', CODE_SIZE_MAX + 1, true)
  const missing = largest ? undefined : '"deploy 24,576 bytes" failed'
  await session.raw('call it', { to: largest, data: '0x1234' }, { missing })
  const call = { to: largest, data: '0x' }
  await session.value(
    'what it answers',
    async () => ({ value: await session.chain.rpc('eth_call', call, 'latest') }),
    missing,
  )
  const code = async () => ({ value: ethers.keccak256(await session.chain.rpc('eth_getCode', largest, 'latest')) })
  await session.value('its code', code, missing)
  // cast estimates the gas.
  await session.command('cast send --create 24,576 bytes', async (url, key) => {
    const args = ['send', '--json', '--private-key', key, '--create', initCode(CODE_SIZE_MAX, 'cast')]
    return JSON.parse((await runTool('cast', args, { url })).stdout).transactionHash
  })
}
