#!/usr/bin/python3 -B
"""run - all integration tests, or the modules named, two modules at a time.

    run.py [test_NAME ...]

Runs the programs in build/release/bin, or in $SENDYARD_BUILD/bin; needs root
for port 25, tmpfs and users. Prints each test and, last, the counts. A module
is a process of its own, so that one cannot disturb the other.
"""

import os
import subprocess
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
AT_ONCE = 2
MODULE_S = 900


class Lines(unittest.TestResult):
    """One line per test, with the reason when it failed."""

    def __init__(self):
        super().__init__()
        self.counts = {"ok": 0, "not ok": 0, "skip": 0}

    def startTest(self, test):
        super().startTest(test)
        self._began = time.monotonic()
        self._problem = None

    def stopTest(self, test):
        if self._problem is None:
            self._say("ok", test)
        else:
            verdict, text = self._problem
            self._say(verdict, test, text)
        super().stopTest(test)

    def _note(self, test, verdict, text):
        if isinstance(test, unittest.TestCase):
            self._problem = (verdict, text)
        else:  # a set-up of a class or module
            self._began = time.monotonic()
            self._say(verdict, test, text)

    def _say(self, verdict, test, text=""):
        self.counts[verdict] += 1
        took = time.monotonic() - self._began
        print(f"{verdict} {test.id()} ({took:.1f} s)", flush=True)
        for line in text.rstrip().splitlines():
            print(f"    {line}", flush=True)

    def addFailure(self, test, err):
        self._note(test, "not ok", self._exc_info_to_string(err, test))

    def addError(self, test, err):
        self._note(test, "not ok", self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        if err is not None:
            before = self._problem[1] if self._problem else ""
            text = self._exc_info_to_string(err, subtest)
            self._problem = ("not ok", f"{before}{subtest}\n{text}\n")

    def addSkip(self, test, reason):
        self._note(test, "skip", reason)


def run_module(name):
    """In this process; the last line printed is for the parent."""
    sys.path.insert(0, str(HERE))
    result = Lines()
    unittest.defaultTestLoader.loadTestsFromName(name).run(result)
    print(" ".join(map(str, result.counts.values())))
    return 0


def start_module(name):
    """In a process of its own; prints what it said, returns its counts."""
    done = subprocess.run([sys.executable, "-B", __file__, "--here", name],
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=MODULE_S,
                          check=False)
    *lines, last = done.stdout.rstrip().splitlines() or [""]
    print("\n".join(lines), flush=True)
    try:
        return [int(word) for word in last.split()]
    except ValueError:
        print(f"not ok {name}\n    {last}", flush=True)
        return [0, 1, 0]


def main():
    if sys.argv[1:2] == ["--here"]:
        return run_module(sys.argv[2])
    if os.geteuid() != 0:
        sys.exit("run.py: needs root")
    names = sys.argv[1:] or sorted(path.stem for path in
                                   HERE.glob("test_*.py"))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        counts = list(pool.map(start_module, names))
    passed, failed, skipped = map(sum, zip(*counts))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
