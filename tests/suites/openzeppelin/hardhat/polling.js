// web3.js 1 asks for a receipt at once and then every second, and for blocks until a transaction has 24 confirmations.
// truffle's contracts let nobody change that: the suite would take a quarter of an hour, most of it waiting.

/** Everyone who brings a copy of web3.js along. */
const USERS = ['@truffle/contract', '@truffle/interface-adapter', 'web3']

const SETTINGS = { transactionPollingInterval: 15, transactionConfirmationBlocks: 1 }

for (const user of USERS) {
  const Method = require(require.resolve('web3-core-method', { paths: [require.resolve(user)] }))
  for (const [name, value] of Object.entries(SETTINGS)) {
    // The constructor assigns its own value.
    Object.defineProperty(Method.prototype, name, { get: () => value, set: () => {} })
  }
}
