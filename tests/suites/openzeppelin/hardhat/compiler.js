// Compiles with the compiler of an installed package instead of a download, and no more than the tests need.

const path = require('node:path')
const { extendConfig, subtask } = require('hardhat/config')
const {
  TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD,
  TASK_COMPILE_SOLIDITY_GET_SOURCE_PATHS,
} = require('hardhat/builtin-tasks/task-names')

extendConfig((config, { chosen }) => {
  config.chosen = chosen
})

subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async ({ solcVersion }) => {
  const { version } = require('solc/package.json')
  if (version !== solcVersion) throw new Error(`solc ${solcVersion} is asked for, and ${version} is installed`)
  const longVersion = require('solc').version()
  return { version, longVersion, compilerPath: require.resolve('solc/soljson.js'), isSolcJs: true }
})

subtask(TASK_COMPILE_SOLIDITY_GET_SOURCE_PATHS, async (_, { config }) =>
  config.chosen.map((file) => path.join(config.paths.sources, file)),
)
