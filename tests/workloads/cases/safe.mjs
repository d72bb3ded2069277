// Safe 1.4.1: its contracts by a singleton factory (CREATE2), a Safe of three owners, and what two of them execute.

import { ethers } from '../lib/chain.mjs'

export const accounts = 4

const SUPPLY = 10n ** 24n
/** Safe's singleton factory: calldata is a salt and the initialisation code. */
const FACTORY =
  '0x604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3'
const [CALL, DELEGATECALL] = [0, 1]

const SAFE_TX = {
  SafeTx: [
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'data', type: 'bytes' },
    { name: 'operation', type: 'uint8' },
    { name: 'safeTxGas', type: 'uint256' },
    { name: 'baseGas', type: 'uint256' },
    { name: 'gasPrice', type: 'uint256' },
    { name: 'gasToken', type: 'address' },
    { name: 'refundReceiver', type: 'address' },
    { name: 'nonce', type: 'uint256' },
  ],
}

export async function run(session) {
  const owners = session.accounts.slice(1, 4)
  const fresh = session.fresh()
  const token = await session.deploy('deploy a token', 'Erc20', ['Treasury Token', 'TT', SUPPLY])
  const address = ethers.getCreateAddress({ from: session.accounts[0].address, nonce: session.nonces[0] })
  const deployed = await session.raw('deploy the singleton factory', { data: FACTORY })
  const missing = deployed ? undefined : '"deploy the singleton factory" failed'

  /** Deploys through the factory with salt zero, as Safe's deployments do. */
  const singleton = async (name) => {
    const { bytecode } = session.artifact(name)
    const data = ethers.concat([ethers.ZeroHash, bytecode])
    await session.raw(`deploy ${name} by the factory`, { to: address, data }, { missing })
    return session.at(name, ethers.getCreate2Address(address, ethers.ZeroHash, ethers.keccak256(bytecode)))
  }
  const master = await singleton('Safe')
  const proxies = await singleton('SafeProxyFactory')
  const handler = await singleton('CompatibilityFallbackHandler')
  const multiSend = await singleton('MultiSend')

  const none = ethers.ZeroAddress
  const setup = master.interface.encodeFunctionData('setup', [
    owners.map((owner) => owner.address),
    2,
    none,
    '0x',
    handler.address,
    none,
    0,
    none,
  ])
  const create = [master, setup, 0n]
  const safe = await session.at('Safe', (await session.read(proxies, 'createProxyWithNonce', create)) ?? none)
  await session.send('create a Safe', proxies, 'createProxyWithNonce', create)
  const wallet = await session.at('Safe', safe.address)
  await session.raw('pay ether into it', { to: wallet.address, value: 10n ** 18n }, { missing: wallet.missing })
  await session.send('pay tokens into it', token, 'transfer', [wallet, 5_000n])

  let nonce = 0n
  const execute = async (
    call,
    { to, value = 0n, data = '0x', operation = CALL },
    { signers = owners.slice(0, 2), fails } = {},
  ) => {
    const tx = { to, value, data, operation, safeTxGas: 0n, baseGas: 0n, gasPrice: 0n, gasToken: none }
    const message = { ...tx, refundReceiver: none, nonce }
    const signatures = await signed(session, wallet.address, message, signers)
    const args = [...Object.values(message).slice(0, 9), signatures]
    const receipt = await session.send(call, wallet, 'execTransaction', args, { fails })
    if (receipt && BigInt(receipt.status) === 1n) nonce += 1n
  }
  await execute('execute: pay ether', { to: fresh, value: 10n ** 17n })
  const transfer = (amount) => token.interface.encodeFunctionData('transfer', [fresh, amount])
  await execute('execute: pay tokens', { to: token.address, data: transfer(1_000n) })
  const batch = [1n, 2n, 3n].map((amount) => packed(token.address, transfer(amount)))
  const data = multiSend.interface.encodeFunctionData('multiSend', [ethers.concat(batch)])
  await execute('execute: MultiSend of three', { to: multiSend.address, data, operation: DELEGATECALL })
  const threshold = wallet.interface.encodeFunctionData('changeThreshold', [3])
  await execute('execute: change the threshold', { to: wallet.address, data: threshold })
  await execute('execute with too few signatures', { to: fresh, value: 1n }, { fails: true })
  await execute('execute with three signatures', { to: fresh, value: 1n }, { signers: owners })

  await session.view('getOwners', wallet, 'getOwners')
  await session.view('getThreshold', wallet, 'getThreshold')
  await session.view('nonce', wallet, 'nonce')
  await session.view('VERSION', wallet, 'VERSION')
  await session.view('tokens of the Safe', token, 'balanceOf', [wallet])
  await session.view('tokens of the payee', token, 'balanceOf', [fresh])
  await session.balance('ether of the Safe', wallet.address)
}

/** The owners' EIP-712 signatures, in the order of their addresses. */
async function signed(session, verifyingContract, message, signers) {
  const sorted = [...signers].sort((x, y) => (BigInt(x.address) < BigInt(y.address) ? -1 : 1))
  const domain = { chainId: session.chain.id, verifyingContract }
  return ethers.concat(await Promise.all(sorted.map((owner) => owner.signTypedData(domain, SAFE_TX, message))))
}

/** One entry of a MultiSend. */
const packed = (to, data) =>
  ethers.solidityPacked(
    ['uint8', 'address', 'uint256', 'uint256', 'bytes'],
    [CALL, to, 0n, ethers.dataLength(data), data],
  )
