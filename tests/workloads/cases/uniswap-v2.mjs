// Uniswap V2: factory, router, pairs, adding, swapping and removing.
//
// A pair adds up prices over time: what it stores depends on the clock, and it stores nothing in a block of the same
// second as the one before. So each call waits for the next second, and the sums of prices are not compared.

import { ethers } from '../lib/chain.mjs'

export const accounts = 2

const SUPPLY = 10n ** 24n
const UNIT = 10n ** 18n
const FOREVER = ethers.MaxUint256

export async function run(session) {
  const [owner, trader] = session.accounts
  const weth = await session.deploy('deploy WETH9', 'WETH9')
  const a = await session.deploy('deploy token A', 'Erc20', ['Token A', 'A', SUPPLY])
  const b = await session.deploy('deploy token B', 'Erc20', ['Token B', 'B', SUPPLY])
  const factory = await session.deploy('deploy factory', 'UniswapV2Factory', [owner.address])
  const router = await session.deploy('deploy router', 'UniswapV2Router02', [factory, weth])

  await session.send('createPair A/B', factory, 'createPair', [a, b])
  const pairAB = await pair(session, factory, a, b)
  await session.send('approve A', a, 'approve', [router, FOREVER])
  await session.send('approve B', b, 'approve', [router, FOREVER])
  const add = [a, b, 10_000n * UNIT, 40_000n * UNIT, 0n, 0n, owner.address, FOREVER]
  await timed('addLiquidity A/B', router, 'addLiquidity', add)
  await timed('addLiquidity again', router, 'addLiquidity', add)
  const addETH = [a, 5_000n * UNIT, 0n, 0n, owner.address, FOREVER]
  await timed('addLiquidityETH, which creates the pair', router, 'addLiquidityETH', addETH, { value: 2n * UNIT })
  const pairAW = await pair(session, factory, a, weth)

  const swap = [100n * UNIT, 1n, [a, b], trader.address, FOREVER]
  await timed('swap A for B', router, 'swapExactTokensForTokens', swap)
  const path = [1n, [weth, a, b], trader.address, FOREVER]
  await timed('swap ETH for B by two pairs', router, 'swapExactETHForTokens', path, { value: UNIT / 10n, from: 1 })
  await session.send('approve B by the trader', b, 'approve', [router, FOREVER], { from: 1 })
  const back = [UNIT / 100n, 100n * UNIT, [b, a, weth], trader.address, FOREVER]
  await timed('swap B for exact ETH by two pairs', router, 'swapTokensForExactETH', back, { from: 1 })
  const tooMuch = [100n * UNIT, 10_000n * UNIT, [a, b], trader.address, FOREVER]
  await timed('swap with too little output', router, 'swapExactTokensForTokens', tooMuch, { fails: true })

  const liquidity = await session.read(pairAB, 'balanceOf', [owner.address], 0n)
  await session.send('approve liquidity', pairAB, 'approve', [router, FOREVER])
  await timed('removeLiquidity, half', router, 'removeLiquidity', [
    a,
    b,
    liquidity / 2n,
    0n,
    0n,
    owner.address,
    FOREVER,
  ])
  await session.send('approve liquidity of A/WETH', pairAW, 'approve', [router, FOREVER])
  const shares = await session.read(pairAW, 'balanceOf', [owner.address], 0n)
  await timed('removeLiquidityETH, all', router, 'removeLiquidityETH', [a, shares, 0n, 0n, trader.address, FOREVER])

  const reserves = async (name, contract) => {
    await session.value(
      `reserves ${name}`,
      async () => {
        const both = await session.readAll(contract, 'getReserves')
        return { value: [both[0], both[1]] } // the third is the time of the newest block
      },
      contract.missing,
    )
  }
  await reserves('A/B', pairAB)
  await reserves('A/WETH', pairAW)
  await session.view('allPairsLength', factory, 'allPairsLength')
  await session.view('getAmountsOut', router, 'getAmountsOut', [UNIT, [a, b]])
  await session.view('getAmountsIn', router, 'getAmountsIn', [UNIT, [b, a]])
  await session.view('liquidity left', pairAB, 'totalSupply')
  await session.view('WETH in the pair', weth, 'balanceOf', [pairAW])
  await session.balance('ether of WETH9', weth.address)
  for (const [name, holder] of [
    ['owner', owner.address],
    ['trader', trader.address],
    ['pair A/B', pairAB],
  ]) {
    await session.view(`A of ${name}`, a, 'balanceOf', [holder])
    await session.view(`B of ${name}`, b, 'balanceOf', [holder])
  }

  async function timed(...call) {
    await session.nextSecond()
    return session.send(...call)
  }
}

/** The pair of two tokens, by its CREATE2 address. */
async function pair(session, factory, a, b) {
  const code = session.artifact('UniswapV2Pair').bytecode
  const tokens = [a.address, b.address].sort((x, y) => (BigInt(x) < BigInt(y) ? -1 : 1))
  const salt = ethers.solidityPackedKeccak256(['address', 'address'], tokens)
  return session.at('UniswapV2Pair', ethers.getCreate2Address(factory.address, salt, ethers.keccak256(code)))
}
