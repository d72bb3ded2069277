// What a team's configuration would be, with the compiler of an installed package instead of a download.

import { createRequire } from 'node:module'
import ignition from '@nomicfoundation/hardhat-ignition'
import nodeTestRunner from '@nomicfoundation/hardhat-node-test-runner'
import viem from '@nomicfoundation/hardhat-viem'

const require = createRequire(import.meta.url)

export default {
  plugins: [ignition, nodeTestRunner, viem],
  solidity: { version: '0.8.37', path: require.resolve('solc/soljson.js') },
  networks: {
    parhelion: {
      type: 'http',
      url: process.env.PARHELION_RPC_URL,
      accounts: { mnemonic: 'test test test test test test test test test test test junk' },
    },
  },
}
