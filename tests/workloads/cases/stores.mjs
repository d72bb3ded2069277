// 300 fresh storage values in one transaction.

export const accounts = 1

const COUNT = 300n

export async function run(session) {
  const stores = await session.deploy('deploy', 'Stores')
  await session.send('300 neighbouring SSTOREs', stores, 'storeNeighbours', [COUNT])
  await session.send('300 SSTOREs of a mapping', stores, 'storeSpread', [COUNT])
  await session.view('sums', stores, 'sum', [COUNT])
}
