"""./deploy/quickstart: one command, a table, and nothing left behind."""

import re
import subprocess
import unittest

from support import processes
from support.places import BUILD, ROOT

BUILT_S = 20 * 3  # 20 s on a machine that does nothing else


class Quickstart(unittest.TestCase):
    def setUp(self):
        if BUILD != ROOT / "build" / "release":
            self.skipTest("it runs build/release, these tests run another")

    def test_once_shows_three_kinds_of_mail_and_leaves_nothing(self):
        done = subprocess.run([ROOT / "deploy" / "quickstart", "--once"],
                              text=True, capture_output=True, check=False,
                              timeout=BUILT_S, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        sources = set(re.findall(r" (127\.10\.\d)\.\d ", done.stdout))
        self.assertEqual(sources, {"127.10.1", "127.10.2", "127.10.3"})
        for word in ("delivered", "bounced 550"):
            self.assertIn(word, done.stdout)
        for folder in ("build/quickstart", "sendyard-quickstart"):
            self.assertEqual([processes.command_line(pid) for pid in
                              processes.naming(folder)], [])


if __name__ == "__main__":
    unittest.main()
