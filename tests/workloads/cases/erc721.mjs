// OpenZeppelin's ERC-721, enumerable and with URIs.

export const accounts = 2

const URI = 'ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi/1.json'

export async function run(session) {
  const [owner, other] = session.accounts
  const fresh = session.fresh()
  const token = await session.deploy('deploy', 'Erc721')
  await session.send('safeMint', token, 'safeMint', [owner.address, 1n, URI])
  await session.send('safeMint the second', token, 'safeMint', [owner.address, 2n, 'short'])
  await session.send('safeMint by another', token, 'safeMint', [other.address, 3n, URI], { from: 1, fails: true })
  await session.send('transferFrom', token, 'transferFrom', [owner.address, fresh, 1n])
  await session.send('approve', token, 'approve', [other.address, 2n])
  const transfer = 'safeTransferFrom(address,address,uint256)'
  await session.send('safeTransferFrom by the approved', token, transfer, [owner.address, other.address, 2n], {
    from: 1,
  })
  await session.send('safeTransferFrom to no receiver', token, transfer, [other.address, token, 2n], {
    from: 1,
    fails: true,
  })
  await session.send('setApprovalForAll', token, 'setApprovalForAll', [owner.address, true], { from: 1 })
  await session.send('burn by the operator', token, 'burn', [2n])

  await session.view('totalSupply', token, 'totalSupply')
  await session.view('ownerOf(1)', token, 'ownerOf', [1n])
  await session.view('ownerOf(2), which reverts', token, 'ownerOf', [2n])
  await session.view('tokenURI(1)', token, 'tokenURI', [1n])
  await session.view('tokenOfOwnerByIndex', token, 'tokenOfOwnerByIndex', [fresh, 0n])
  await session.view('supportsInterface', token, 'supportsInterface', ['0x80ac58cd'])
  for (const [name, holder] of [
    ['owner', owner.address],
    ['other', other.address],
    ['fresh', fresh],
  ]) {
    await session.view(`balanceOf(${name})`, token, 'balanceOf', [holder])
  }
}
