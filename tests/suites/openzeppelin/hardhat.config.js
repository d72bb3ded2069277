// The project of OpenZeppelin's repository, as far as the chosen tests need it; its network is a node over plain HTTP.

require('@nomiclabs/hardhat-truffle5')
require('hardhat-exposed')
require('./hardhat/compiler')
require('./hardhat/accounts')
require('./hardhat/polling')
require('./hardhat/revert-words')

/** What the chosen tests ask for by name, and what they get as `$Name`, with its internal functions exposed. */
const EXPOSED = [
  'access/Ownable.sol',
  'mocks/token/ERC20ApprovalMock.sol',
  'proxy/Clones.sol',
  'token/ERC1155/ERC1155.sol',
  'token/ERC20/ERC20.sol',
  'token/ERC721/ERC721.sol',
  'utils/math/Math.sol',
]
const MOCKS = [
  'mocks/CallReceiverMock.sol',
  'mocks/DummyImplementation.sol',
  'mocks/token/ERC1155ReceiverMock.sol',
  'mocks/token/ERC721ReceiverMock.sol',
]

const TEST_LIMIT_MS = 20_000

module.exports = {
  defaultNetwork: 'node',
  solidity: { version: '0.8.35', settings: { optimizer: { enabled: true, runs: 200 } } },
  exposed: { imports: true, initializers: true, include: EXPOSED },
  chosen: [...EXPOSED, ...MOCKS],
  networks: {
    node: {
      url: process.env.PARHELION_RPC_URL,
      accounts: { mnemonic: 'test test test test test test test test test test test junk', count: 10 },
    },
  },
  mocha: {
    timeout: TEST_LIMIT_MS,
    reporter: 'json',
    reporterOptions: { output: process.env.PARHELION_RESULTS },
  },
}
