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
  await session.send('300 SSTOREs of a mapping', stores, 'storeSpread', [COUNT], { deviation })
}
