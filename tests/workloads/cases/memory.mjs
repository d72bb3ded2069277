// 1 MiB of EVM memory, written, copied and hashed.

export const accounts = 1

const SIZE = 1024n * 1024n

export async function run(session) {
  const memory = await session.deploy('deploy', 'Memory')
  await session.send('fill 32 KiB', memory, 'fill', [32n * 1024n])
  await session.send('fill 1 MiB', memory, 'fill', [SIZE])
  await session.view('digest', memory, 'digest')
  await session.view('hashed', memory, 'hashed', [SIZE])
}
