// Uniswap V3: factory, pools, position manager with its descriptor, router and quoter; minting, swapping over one
// and two pools, taking liquidity and fees out.
//
// A pool writes its oracle once a second, so each call waits for the next second. What the oracle stores is not
// compared.

import { ethers } from '../lib/chain.mjs'

export const accounts = 2

const SUPPLY = 10n ** 30n
const UNIT = 10n ** 18n
const FOREVER = ethers.MaxUint256
const UINT128_MAX = (1n << 128n) - 1n
const [LOW, MEDIUM] = [500n, 3000n]
/** sqrt(price) * 2^96 for the prices 1 and 2. */
const PRICE_1 = 1n << 96n
const PRICE_2 = 112045541949572279837463876454n

export async function run(session) {
  const [owner, trader] = session.accounts
  const weth = await session.deploy('deploy WETH9', 'WETH9')
  const unsorted = []
  for (const name of ['A', 'B', 'C']) {
    unsorted.push(await session.deploy(`deploy token ${name}`, 'Erc20', [`Token ${name}`, name, SUPPLY]))
  }
  // Pools have their tokens in the order of addresses, which are the same on both nodes.
  const [a, b, c] = unsorted.sort((x, y) => (BigInt(x.address) < BigInt(y.address) ? -1 : 1))
  const factory = await session.deploy('deploy factory', 'UniswapV3Factory')
  const library = await session.deploy('deploy NFTDescriptor', 'NFTDescriptor')
  const label = ethers.encodeBytes32String('ETH')
  const descriptor = await session.deploy(
    'deploy position descriptor',
    'NonfungibleTokenPositionDescriptor',
    [weth, label],
    { libraries: { NFTDescriptor: library } },
  )
  const managed = [factory, weth, descriptor]
  const positions = await session.deploy('deploy position manager', 'NonfungiblePositionManager', managed)
  const router = await session.deploy('deploy router', 'SwapRouter', [factory, weth])
  const quoter = await session.deploy('deploy quoter', 'QuoterV2', [factory, weth])

  const initialise = 'createAndInitializePoolIfNecessary'
  await timed('create pool A/B of 0.3 %', positions, initialise, [a, b, MEDIUM, PRICE_1])
  await timed('createPool B/C of 0.05 %', factory, 'createPool', [c, b, LOW])
  const poolAB = await pool(session, factory, a, b, MEDIUM)
  const poolBC = await pool(session, factory, b, c, LOW)
  await timed('initialize B/C', poolBC, 'initialize', [PRICE_2])
  await timed('more observations', poolAB, 'increaseObservationCardinalityNext', [4])

  for (const [name, token] of [
    ['A', a],
    ['B', b],
    ['C', c],
  ]) {
    await session.send(`approve ${name} to positions`, token, 'approve', [positions, FOREVER])
    await session.send(`approve ${name} to router`, token, 'approve', [router, FOREVER])
  }
  const mint = (token0, token1, fee, tickLower, tickUpper, amount0Desired, amount1Desired) => [
    {
      token0,
      token1,
      fee,
      tickLower,
      tickUpper,
      amount0Desired,
      amount1Desired,
      amount0Min: 0n,
      amount1Min: 0n,
      recipient: owner.address,
      deadline: FOREVER,
    },
  ]
  await timed('mint A/B', positions, 'mint', mint(a, b, MEDIUM, -6000, 6000, 10_000n * UNIT, 10_000n * UNIT))
  await timed('mint A/B, narrow', positions, 'mint', mint(a, b, MEDIUM, -120, 60, 10_000n * UNIT, 10_000n * UNIT))
  await timed('mint B/C', positions, 'mint', mint(b, c, LOW, 0, 13_000, 10_000n * UNIT, 20_000n * UNIT))

  const single = { tokenIn: a, tokenOut: b, fee: MEDIUM, recipient: trader.address, deadline: FOREVER }
  const exactIn = [{ ...single, amountIn: 100n * UNIT, amountOutMinimum: 1n, sqrtPriceLimitX96: 0n }]
  await timed('swap A for B', router, 'exactInputSingle', exactIn)
  const exactOut = [{ ...single, amountOut: 50n * UNIT, amountInMaximum: FOREVER, sqrtPriceLimitX96: 0n }]
  await timed('swap A for exact B', router, 'exactOutputSingle', exactOut)
  const crossing = [{ ...exactIn[0], amountIn: 12_000n * UNIT }]
  await timed('swap A for B across ticks', router, 'exactInputSingle', crossing)
  const path = (...hops) => ethers.solidityPacked(['address', 'uint24', 'address', 'uint24', 'address'], hops)
  const there = path(a.address, MEDIUM, b.address, LOW, c.address)
  const hop = { path: there, recipient: trader.address, deadline: FOREVER }
  await timed('swap A for C by two pools', router, 'exactInput', [
    { ...hop, amountIn: 500n * UNIT, amountOutMinimum: 1n },
  ])
  // An exact output goes backwards: its path begins with what comes out.
  const reverse = path(c.address, LOW, b.address, MEDIUM, a.address)
  const back = { ...hop, path: reverse, amountOut: 20n * UNIT, amountInMaximum: FOREVER }
  await timed('swap A for exact C by two pools', router, 'exactOutput', [back])
  const greedy = [{ ...exactIn[0], amountOutMinimum: SUPPLY }]
  await timed('swap with too little output', router, 'exactInputSingle', greedy, { fails: true })

  const liquidity = async (id) => {
    if (positions.missing) return 0n
    return (await session.readAll(positions, 'positions', [id]).catch(() => ({ liquidity: 0n }))).liquidity
  }
  const decrease = {
    tokenId: 1n,
    liquidity: (await liquidity(1n)) / 2n,
    amount0Min: 0n,
    amount1Min: 0n,
    deadline: FOREVER,
  }
  await timed('decreaseLiquidity, half', positions, 'decreaseLiquidity', [decrease])
  const all = { tokenId: 1n, recipient: owner.address, amount0Max: UINT128_MAX, amount1Max: UINT128_MAX }
  await timed('collect', positions, 'collect', [all])
  const rest = { ...decrease, tokenId: 2n, liquidity: await liquidity(2n) }
  const multicall = [
    positions.encode('decreaseLiquidity', [rest]),
    positions.encode('collect', [{ ...all, tokenId: 2n }]),
    positions.encode('burn', [2n]),
  ]
  await timed('multicall: decrease, collect and burn', positions, 'multicall', [multicall])

  const slot0 = async (name, contract) => {
    await session.value(
      `price and tick of ${name}`,
      async () => {
        const parts = await session.readAll(contract, 'slot0')
        return { value: [parts[0], parts[1]] }
      },
      contract.missing,
    )
  }
  await slot0('A/B', poolAB)
  await slot0('B/C', poolBC)
  await session.view('liquidity of A/B', poolAB, 'liquidity')
  await session.view('fee growth of A/B', poolAB, 'feeGrowthGlobal0X128')
  await session.view('position 1', positions, 'positions', [1n])
  await session.view('owner of position 3', positions, 'ownerOf', [3n])
  await session.view('tokenURI of position 3', positions, 'tokenURI', [3n])
  await session.view('quote by two pools', quoter, 'quoteExactInput', [there, UNIT])
  for (const [name, token] of [
    ['A', a],
    ['B', b],
    ['C', c],
  ]) {
    await session.view(`${name} of owner`, token, 'balanceOf', [owner.address])
    await session.view(`${name} of trader`, token, 'balanceOf', [trader.address])
  }

  async function timed(...call) {
    await session.nextSecond()
    return session.send(...call)
  }
}

/** The pool of two sorted tokens, by its CREATE2 address. */
async function pool(session, factory, token0, token1, fee) {
  const key = [token0.address, token1.address, fee]
  const salt = ethers.keccak256(ethers.AbiCoder.defaultAbiCoder().encode(['address', 'address', 'uint24'], key))
  const code = ethers.keccak256(session.artifact('UniswapV3Pool').bytecode)
  return session.at('UniswapV3Pool', ethers.getCreate2Address(factory.address, salt, code))
}
