// 100 KB of calldata in one transaction.

import { ethers } from '../lib/chain.mjs'

export const accounts = 1

const SIZE = 100 * 1024

export async function run(session) {
  const parts = Array.from({ length: SIZE / 32 }, (_, i) => ethers.id(`calldata ${i}`))
  const taker = await session.deploy('deploy', 'Calldata')
  await session.send('take 100 bytes', taker, 'take', [ethers.dataSlice(ethers.concat(parts.slice(0, 4)), 0, 100)])
  await session.send('take 100 KB', taker, 'take', [ethers.concat(parts)])
  await session.view('digest', taker, 'digest')
}
