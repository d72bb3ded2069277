// The packages of these tests, and the tools among them.

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Installation } from './installation.mjs'

/** The folder `tests/clients` of this checkout. */
export const SOURCE_DIR = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

const ARCH_NAMES = { x64: 'amd64', arm64: 'arm64' }

const packages = new Installation(SOURCE_DIR, 'clients')

/** The folder that holds (or will hold) `node_modules` for the committed lock file. */
export const packagesDir = () => packages.dir()

/** Installs the packages unless they are there already, and returns their folder. */
export const install = (log) => packages.install(log)

/** A `require` that resolves the installed packages. */
export const packageRequire = () => packages.require()

/** The path of a native foundry tool: `forge`, `cast` or `anvil`. */
export function foundryTool(name) {
  const platform = `${process.platform}-${ARCH_NAMES[process.arch] ?? process.arch}`
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const file = path.join(packages.modules(), '@foundry-rs', `${name}-${platform}`, 'bin', name + suffix)
  if (!fs.existsSync(file)) throw new Error(`no ${name} for ${platform}: ${file} is missing`)
  return file
}
