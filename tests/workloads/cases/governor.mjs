// OpenZeppelin's Governor with votes, quorum, settings and timelock: a proposal from its beginning to its execution.
//
// Voting is by block number. The numbers in `ProposalCreated` and the time in `ProposalQueued` differ between chains.

import { ethers } from '../lib/chain.mjs'

export const accounts = 3

const SUPPLY = 10n ** 24n
const DELAY_BLOCKS = 1
/** Long enough for three votes where blocks come by themselves. */
const PERIOD_BLOCKS = 100
const [ACTIVE, SUCCEEDED] = [1n, 4n]
/** More blocks than any proposal here needs. */
const WAIT_BLOCKS_MAX = 150
/** The account that makes blocks: how many are needed differs, and with it the nonce. */
const BLOCK_MAKER = 2

export async function run(session) {
  const [proposer, voter] = session.accounts
  const fresh = session.fresh()
  const token = await session.deploy('deploy votes', 'VotesToken', [SUPPLY])
  const timelock = await session.deploy('deploy timelock', 'Timelock', [0n, proposer.address])
  const args = [token, timelock, DELAY_BLOCKS, PERIOD_BLOCKS]
  const governor = await session.deploy('deploy governor', 'Governance', args)
  await session.send('grant proposer', timelock, 'grantRole', [ethers.id('PROPOSER_ROLE'), governor])
  await session.send('grant canceller', timelock, 'grantRole', [ethers.id('CANCELLER_ROLE'), governor])
  await session.send('grant executor', timelock, 'grantRole', [ethers.id('EXECUTOR_ROLE'), ethers.ZeroAddress])
  await session.send('renounce admin', timelock, 'renounceRole', [ethers.ZeroHash, proposer.address])
  await session.send('transfer votes', token, 'transfer', [voter.address, SUPPLY / 4n])
  await session.send('treasury', token, 'transfer', [timelock, 1_000n])
  await session.send('delegate', token, 'delegate', [proposer.address])
  await session.send('delegate to oneself', token, 'delegate', [voter.address], { from: 1 })

  const calls = [[token], [0n], [token.interface.encodeFunctionData('transfer', [fresh, 1_000n])]]
  const description = 'Pay 1000 units out of the treasury'
  const named = [...calls, ethers.id(description)]
  const plain = [[token.address], [0n], calls[2], ethers.id(description)]
  const id = BigInt(
    ethers.keccak256(
      ethers.AbiCoder.defaultAbiCoder().encode(['address[]', 'uint256[]', 'bytes[]', 'bytes32'], plain),
    ),
  )
  const varying = { ProposalCreated: ['voteStart', 'voteEnd'], ProposalQueued: ['etaSeconds'] }
  await session.send('propose', governor, 'propose', [...calls, description], { varying })
  await blocksUntil(session, governor, id, ACTIVE)
  await session.send('castVote', governor, 'castVote', [id, 1])
  await session.send('castVoteWithReason', governor, 'castVoteWithReason', [id, 0, 'too much'], { from: 1 })
  await session.send('castVote twice', governor, 'castVote', [id, 1], { fails: true })
  await blocksUntil(session, governor, id, SUCCEEDED)
  await session.send('queue', governor, 'queue', named, { varying })
  await session.nextSecond()
  await session.send('execute', governor, 'execute', named)

  await session.view('state', governor, 'state', [id])
  await session.view('proposalVotes', governor, 'proposalVotes', [id])
  await session.view('getVotes', token, 'getVotes', [proposer.address])
  await session.view('numCheckpoints', token, 'numCheckpoints', [voter.address])
  await session.view('balanceOf(fresh)', token, 'balanceOf', [fresh])
  await session.view('balanceOf(timelock)', token, 'balanceOf', [timelock])
}

/** Makes blocks (each with a transfer of nothing) until a proposal is in a state, or cannot be. */
async function blocksUntil(session, governor, id, state) {
  for (let i = 0; i < WAIT_BLOCKS_MAX; i++) {
    if ((await session.read(governor, 'state', [id], state)) === state) return
    await session.pass(1, BLOCK_MAKER)
  }
}
