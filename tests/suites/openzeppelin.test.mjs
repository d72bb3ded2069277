// OpenZeppelin's own Hardhat tests of its tokens, Ownable, Clones and Math: what passes on anvil has to pass here.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { RPC_URL } from '../clients/lib/env.mjs'
import { freePort, startNode } from '../clients/lib/node.mjs'
import { foundryTool } from '../clients/lib/packages.mjs'
import { kept } from '../clients/lib/solidity.mjs'
import { Project } from './lib/project.mjs'

const SUITE = { timeout: 600_000 }
const RUN_LIMIT_MS = 500_000

/** OpenZeppelin's repository at 5.0.2, as a package of others brings it along; its licence is MIT. */
const REPOSITORY = '@uniswap/v4-core/lib/openzeppelin-contracts'

const AREAS = {
  ERC20: ['token/ERC20/ERC20.test.js'],
  ERC721: ['token/ERC721/ERC721.test.js'],
  ERC1155: ['token/ERC1155/ERC1155.test.js'],
  Ownable: ['access/Ownable.test.js'],
  Clones: ['proxy/Clones.test.js'],
  Math: ['utils/math/Math.test.js'],
}

/** What a compilation makes. */
const COMPILED = ['artifacts', 'cache', 'contracts-exposed']

const project = new Project('openzeppelin').open()
process.once('exit', () => project.remove())
for (const folder of ['contracts', 'test']) {
  fs.cpSync(project.module(path.join(REPOSITORY, folder)), path.join(project.root, folder), { recursive: true })
}

const hardhat = (args, env) => {
  const cli = project.module('hardhat/internal/cli/bootstrap.js')
  return project.run(process.execPath, [cli, ...args], { env, limitMs: RUN_LIMIT_MS })
}

/** Names whatever follows from the packages, the configuration and the choice of tests. */
function fingerprint() {
  const hash = createHash('sha256').update(JSON.stringify([REPOSITORY, AREAS]))
  const plugins = fs.readdirSync(path.join(project.source, 'hardhat')).sort()
  for (const file of ['hardhat.config.js', ...plugins.map((name) => path.join('hardhat', name))]) {
    hash.update(fs.readFileSync(path.join(project.source, file)))
  }
  return hash.digest('hex').slice(0, 16)
}

const keptAs = (name) => path.join(project.packages.dir(), `${name}-${fingerprint()}`)

/** Compiles the contracts, or takes what an earlier run has compiled. */
async function compile() {
  const folder = keptAs('compiled')
  if (!fs.existsSync(folder)) {
    await hardhat(['compile'])
    const scratch = `${folder}.${process.pid}`
    for (const name of COMPILED) fs.cpSync(path.join(project.root, name), path.join(scratch, name), { recursive: true })
    fs.renameSync(scratch, folder)
  }
  for (const name of COMPILED) fs.cpSync(path.join(folder, name), path.join(project.root, name), { recursive: true })
}

/** Runs all tests against the node at `url`: what passed and what failed in each area, by name. */
async function results(url, name) {
  const file = path.join(project.root, `${name}.json`)
  const files = Object.values(AREAS).flat().map((test) => path.join('test', test))
  const env = { PARHELION_RPC_URL: url, PARHELION_RESULTS: file }
  // Hardhat's exit code is the number of tests that failed: those are in the file.
  const ended = await hardhat(['test', '--no-compile', ...files], env).catch((error) => error)
  if (!fs.existsSync(file)) throw ended
  const { passes, failures } = JSON.parse(fs.readFileSync(file, 'utf8'))
  const ofArea = ([area, tests]) => {
    const isIn = ({ file }) => tests.some((test) => file.endsWith(path.join('test', test)))
    const passed = passes.filter(isIn).map(({ fullTitle }) => fullTitle)
    const failed = failures.filter(isIn).map(({ fullTitle, err }) => [fullTitle, err.message])
    return [area, { passed, failed: Object.fromEntries(failed) }]
  }
  return Object.fromEntries(Object.entries(AREAS).map(ofArea))
}

/** What anvil does; kept, if nothing failed on it: it follows from pinned versions alone. */
async function anvilResults() {
  const file = keptAs('anvil.json')
  if (fs.existsSync(file)) return kept(file)
  const url = `http://127.0.0.1:${await freePort()}`
  const options = ['--port', new URL(url).port, '--hardfork', 'osaka', '--quiet']
  const anvil = await startNode(foundryTool('anvil'), options, url)
  try {
    const found = await results(url, 'anvil')
    const isSound = Object.values(found).every(({ failed }) => Object.keys(failed).length === 0)
    return isSound ? kept(file, () => found) : found
  } finally {
    await anvil.stop()
  }
}

await compile()
const [ours, anvils] = await Promise.all([results(RPC_URL, 'node'), anvilResults()])

describe('OpenZeppelin 5.0.2', SUITE, () => {
  for (const area of Object.keys(AREAS)) {
    const { passed, failed } = ours[area]
    const reference = anvils[area]
    test(`${area}: ${passed.length} pass here, ${reference.passed.length} on anvil`, () => {
      assert.ok(reference.passed.length > 0, `no test of ${area} passes on anvil`)
      const failedHere = Object.entries(failed).filter(([name]) => reference.failed[name] === undefined)
      assert.deepEqual(failedHere, [])
      // Names may repeat, so those that ran are counted too.
      assert.ok(passed.length >= reference.passed.length, 'some tests did not run here')
    })
  }
})
