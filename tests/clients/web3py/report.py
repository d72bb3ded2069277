"""Runs the tests of a module, and prints one line of JSON for each: name, verdict, and why it did not pass."""

import json
import sys
import unittest


class Lines(unittest.TestResult):
    """Prints each result when it is known."""

    def addSuccess(self, test):
        self._tell(test, "passed")

    def addFailure(self, test, err):
        self._tell(test, "failed", self._exc_info_to_string(err, test))

    addError = addFailure

    def addSkip(self, test, reason):
        self._tell(test, "skipped", reason)

    def _tell(self, test, verdict, why=""):
        # A test's first line of documentation is its name; a set-up that fails has none.
        name = test.shortDescription() or str(test)
        print(json.dumps({"name": name, "verdict": verdict, "why": why}), flush=True)


def run(module):
    unittest.defaultTestLoader.loadTestsFromModule(sys.modules[module]).run(Lines())
