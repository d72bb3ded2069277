#!/usr/bin/env node
// Runs whole projects against a node; `--help` tells how.

import { runTestsOf } from '../clients/lib/runner.mjs'
import { SOURCE_DIR } from './lib/project.mjs'

/** Not the 31337 of development chains: Ignition takes that for Hardhat's own network, and asks for `hardhat_metadata`. */
const CHAIN_ID = '1337'

runTestsOf(SOURCE_DIR, ['--chain-id', CHAIN_ID])
