#!/usr/bin/env node
// Runs the client tests against a node; `--help` tells how.

import { SOURCE_DIR } from './lib/packages.mjs'
import { runTestsOf } from './lib/runner.mjs'

runTestsOf(SOURCE_DIR)
