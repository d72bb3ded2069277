// As in the repository, tests do not get the account that deploys, so that none passes because of it. The repository
// also goes back to a snapshot after each file; nodes in general have no snapshots, and each test deploys what it uses.

extendEnvironment((env) => {
  const { contract } = env
  env.contract = (name, body) => contract(name, (accounts) => body(accounts.slice(1)))
})
