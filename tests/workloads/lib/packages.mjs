// The packages with the contracts of the workloads. The tools (ethers, solc, forge, cast, anvil) are those of the
// client tests, so that both test with the same versions.

import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Installation } from '../../clients/lib/installation.mjs'
import * as clients from '../../clients/lib/packages.mjs'

/** The folder `tests/workloads` of this checkout. */
export const SOURCE_DIR = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

/** The packages with contracts. */
export const packages = new Installation(SOURCE_DIR, 'workloads')

/** Installs the contracts and the tools unless they are there already. */
export function install(log) {
  clients.install(log)
  packages.install(log)
}
