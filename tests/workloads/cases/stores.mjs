// 300 fresh storage values in one transaction.

export const accounts = 1

const COUNT = 300n

/** README, "size of a transaction's run": each is in a group, and so in an account, of its own. */
const deviation = (said) =>
  /more state than a Solana transaction/.test(said ?? '') ? 'it writes 300 accounts of Solana' : undefined

export async function run(session) {
  const stores = await session.deploy('deploy', 'Stores')
  await session.send('300 neighbouring SSTOREs', stores, 'storeNeighbours', [COUNT])
  await session.view('sum of neighbours', stores, 'sum', [COUNT])
  await session.send('50 SSTOREs of a mapping', stores, 'storeSpread', [50n])
  await session.view('sum of both', stores, 'sum', [50n])
  for (const first of [51n, 101n]) {
    await session.send(`50 SSTOREs of a mapping, from ${first}`, stores, 'storeSpreadFrom', [first, 50n])
  }
  // More accounts of Solana than one of its transactions lists.
  await session.send('a sum of 150 values of a mapping', stores, 'storeSum', [150n])
  await session.view('sum with that', stores, 'sum', [150n])
  await session.send('300 SSTOREs of a mapping', stores, 'storeSpread', [COUNT], { deviation })
}
