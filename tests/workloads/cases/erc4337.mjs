// ERC-4337: EntryPoint 0.8 and user operations of a SimpleAccount, whose first creates the account.
//
// EntryPoint measures gas with GAS and charges for it, so its events and the beneficiary's balance show whether gas
// is the same to the unit.

import { ethers } from '../lib/chain.mjs'

export const accounts = 3

const SUPPLY = 10n ** 24n
const UNIT = 10n ** 18n
const GWEI = 10n ** 9n

const PACKED_USER_OPERATION = {
  PackedUserOperation: [
    { name: 'sender', type: 'address' },
    { name: 'nonce', type: 'uint256' },
    { name: 'initCode', type: 'bytes' },
    { name: 'callData', type: 'bytes' },
    { name: 'accountGasLimits', type: 'bytes32' },
    { name: 'preVerificationGas', type: 'uint256' },
    { name: 'gasFees', type: 'bytes32' },
    { name: 'paymasterAndData', type: 'bytes' },
  ],
}

export async function run(session) {
  const [bundler, owner, stranger] = session.accounts
  const fresh = session.fresh()
  const beneficiary = session.fresh('beneficiary')
  const token = await session.deploy('deploy a token', 'Erc20', ['Operation Token', 'OT', SUPPLY])
  const entryPoint = await session.deploy('deploy EntryPoint', 'EntryPoint')
  const factory = await session.deploy('deploy SimpleAccountFactory', 'SimpleAccountFactory', [entryPoint])
  const sender = (await session.read(factory, 'getAddress', [owner.address, 0n])) ?? fresh
  await session.send('depositTo', entryPoint, 'depositTo', [sender], { value: UNIT })
  await session.send('pay tokens to the account', token, 'transfer', [sender, 1_000n])

  const account = new ethers.Interface(session.artifact('SimpleAccount').abi)
  const execute = (to, value, data) => account.encodeFunctionData('execute', [to, value, data])
  const transfer = token.interface.encodeFunctionData('transfer', [fresh, 10n])
  const creation = ethers.concat([
    factory.address,
    factory.interface.encodeFunctionData('createAccount', [owner.address, 0n]),
  ])
  const operation = async (nonce, callData, { initCode = '0x', signer = owner } = {}) => {
    const message = {
      sender,
      nonce,
      initCode,
      callData,
      accountGasLimits: both(1_000_000n, 500_000n),
      preVerificationGas: 60_000n,
      // Both fees are the same, so that the price does not depend on the base fee.
      gasFees: both(2n * GWEI, 2n * GWEI),
      paymasterAndData: '0x',
    }
    const domain = {
      name: 'ERC4337',
      version: '1',
      chainId: session.chain.id,
      verifyingContract: entryPoint.address,
    }
    return { ...message, signature: await signer.signTypedData(domain, PACKED_USER_OPERATION, message) }
  }
  const handle = (call, operations, options) =>
    session.send(call, entryPoint, 'handleOps', [operations, beneficiary], options)

  await handle('handleOps: create the account', [
    await operation(0n, execute(token.address, 0n, transfer), { initCode: creation }),
  ])
  await handle('handleOps: transfer', [await operation(1n, execute(token.address, 0n, transfer))])
  const twice = [
    await operation(2n, execute(token.address, 0n, transfer)),
    await operation(3n, execute(bundler.address, 0n, '0x')),
  ]
  await handle('handleOps of two', twice)
  const tooMuch = token.interface.encodeFunctionData('transfer', [fresh, SUPPLY])
  await handle('handleOps: an operation that reverts', [await operation(4n, execute(token.address, 0n, tooMuch))])
  const forged = await operation(5n, execute(token.address, 0n, transfer), { signer: stranger })
  await handle('handleOps: a wrong signature', [forged], { fails: true })

  await session.view('getNonce', entryPoint, 'getNonce', [sender, 0n])
  await session.view('deposit left', entryPoint, 'balanceOf', [sender])
  await session.view('tokens of the account', token, 'balanceOf', [sender])
  await session.view('tokens of the payee', token, 'balanceOf', [fresh])
  await session.balance('ether of the beneficiary', beneficiary)
  await session.balance('ether of EntryPoint', entryPoint.address)
}

/** Two 128-bit numbers in a word. */
const both = (high, low) => ethers.toBeHex((high << 128n) | low, 32)
