#!/usr/bin/env node
// Runs whole projects against a node; `--help` tells how.

import { runTestsOf } from '../clients/lib/runner.mjs'
import { SOURCE_DIR } from './lib/project.mjs'

runTestsOf(SOURCE_DIR)
