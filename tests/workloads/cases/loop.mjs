// Fifteen million gas of arithmetic in one transaction: close to the cap of EIP-7825.

export const accounts = 1

const ROUNDS = 88_600n

export async function run(session) {
  const loop = await session.deploy('deploy', 'Loop')
  await session.send('a short loop', loop, 'run', [100n])
  await session.send('15 million gas', loop, 'run', [ROUNDS])
  await session.view('result', loop, 'result')
}
