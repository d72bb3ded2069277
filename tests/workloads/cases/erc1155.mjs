// OpenZeppelin's ERC-1155 with supply, and a contract that receives.

export const accounts = 2

const IDS = Array.from({ length: 20 }, (_, i) => BigInt(i + 1))
const VALUES = IDS.map((id) => id * 1_000n)

export async function run(session) {
  const [owner, operator] = session.accounts
  const fresh = session.fresh()
  const token = await session.deploy('deploy', 'Erc1155')
  const vault = await session.deploy('deploy a receiver', 'Erc1155Vault')
  await session.send('mintBatch of 20', token, 'mintBatch', [owner.address, IDS, VALUES, '0x'])
  const one = 'safeTransferFrom'
  await session.send('safeTransferFrom', token, one, [owner.address, fresh, 1n, 10n, '0x'])
  await session.send('safeTransferFrom to a contract', token, one, [owner.address, vault, 2n, 20n, '0x1234'])
  await session.send('setApprovalForAll', token, 'setApprovalForAll', [operator.address, true])
  const some = [IDS.slice(2, 10), VALUES.slice(2, 10)]
  const batch = 'safeBatchTransferFrom'
  await session.send('safeBatchTransferFrom of 8', token, batch, [owner.address, vault, ...some, '0x'], { from: 1 })
  await session.send('safeTransferFrom to no receiver', token, one, [owner.address, token, 1n, 1n, '0x'], {
    fails: true,
  })

  const holders = [owner.address, fresh, vault, vault, operator.address]
  await session.view('balanceOfBatch', token, 'balanceOfBatch', [holders, [1n, 1n, 2n, 3n, 1n]])
  await session.view('totalSupply(1)', token, 'totalSupply(uint256)', [1n])
  await session.view('totalSupply', token, 'totalSupply()')
  await session.view('uri', token, 'uri', [1n])
}
