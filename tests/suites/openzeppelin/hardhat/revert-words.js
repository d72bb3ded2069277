// The tests of OpenZeppelin 5.0 expect reverts in the words of Hardhat's own network. A node says them in its own, and
// gives the data of the revert: here that data alone is put into Hardhat's words, alike for every node.

const { extendProvider } = require('hardhat/config')
const { defaultAbiCoder, Interface } = require('@ethersproject/abi')

const PANICS = {
  0x01: 'Assertion error',
  0x11: 'Arithmetic operation underflowed or overflowed outside of an unchecked block',
  0x12: 'Division or modulo division by zero',
  0x21: 'Tried to convert a value into an enum, but the value was too big or negative',
  0x32: 'Array accessed at an out-of-bounds or negative index',
}

const ERROR_STRING = '0x08c379a0'
const PANIC = '0x4e487b71'

/** The data of a revert in the answer of a node, or undefined. */
function revertData(error) {
  if (error.code !== 3 && !/revert/.test(error.message)) return undefined
  return typeof error.data === 'string' ? error.data : error.data?.data
}

function words(data, errors) {
  const [selector, fields] = [data.slice(0, 10), `0x${data.slice(10)}`]
  if (data === '0x') return 'Transaction reverted without a reason string'
  if (selector === ERROR_STRING) return `reverted with reason string '${defaultAbiCoder.decode(['string'], fields)}'`
  if (selector === PANIC) {
    const code = defaultAbiCoder.decode(['uint256'], fields)[0].toNumber()
    return `reverted with panic code 0x${code.toString(16).padStart(2, '0')} (${PANICS[code] ?? 'unknown panic code'})`
  }
  const known = errors.get(selector)
  if (!known) return `reverted with an unrecognized custom error (return data: ${data})`
  const shown = known.decodeErrorResult(Object.values(known.errors)[0], data).map((value) => JSON.stringify(`${value}`))
  return `reverted with custom error '${Object.values(known.errors)[0].name}(${shown.join(', ')})'`
}

/** The custom errors of all compiled contracts: their selectors, and an interface with just this error. */
async function customErrors(artifacts) {
  const names = await artifacts.getAllFullyQualifiedNames()
  const abis = await Promise.all(names.map(async (name) => (await artifacts.readArtifact(name)).abi))
  const interfaces = abis.flat().filter(({ type }) => type === 'error').map((entry) => new Interface([entry]))
  return new Map(interfaces.map((found) => [found.getSighash(Object.values(found.errors)[0]), found]))
}

extendProvider(async (provider, config) => {
  const { Artifacts } = require('hardhat/internal/artifacts')
  let errors
  const request = provider.request.bind(provider)
  provider.request = async (args) => {
    try {
      return await request(args)
    } catch (error) {
      const data = revertData(error)
      if (data === undefined) throw error
      errors ??= await customErrors(new Artifacts(config.paths.artifacts))
      error.message = `VM Exception while processing transaction: ${words(data, errors)}`
      throw error
    }
  }
  return provider
})
