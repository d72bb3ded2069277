import { createConfig } from 'ponder'
import { http } from 'viem'
import { erc20 } from './abi.ts'

/** What the test says of the node and of its token. */
const { PARHELION_RPC_URL, PARHELION_CHAIN_ID, PARHELION_TOKEN, PARHELION_START_BLOCK } = process.env

export default createConfig({
  networks: {
    node: {
      chainId: Number(PARHELION_CHAIN_ID),
      transport: http(PARHELION_RPC_URL),
      pollingInterval: 200,
    },
  },
  contracts: {
    Token: {
      network: 'node',
      abi: erc20,
      address: PARHELION_TOKEN as `0x${string}`,
      startBlock: Number(PARHELION_START_BLOCK),
    },
  },
})
