"""A full disk: new mail is put off, queued mail leaves, all by itself."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from support.wait import wait_until
from yard import Yard

DISK = "48m"
FILES = 200
SMALL_SEGMENTS = ('segment_size = "16MB"; min_free = "1MB"',
                  'segment_size = "2MB"; min_free = "6MB"; '
                  'min_free_inodes = 50')
LINE = "x" * 70 + "\r\n"
JUST_ENOUGH = 9 << 20  # for min_free and a segment
SOFT_LEFT = 4 << 20  # below min_free, and room for what is queued


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.disk = tempfile.mkdtemp(prefix="yard-disk-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},nr_inodes={FILES}",
                        "sendyard-test", self.disk], check=True)
        self.addCleanup(self.unmount)
        self.yard = self.enterContext(
            Yard([SMALL_SEGMENTS], spool=f"{self.disk}/spool"))

    def unmount(self):
        subprocess.run(["umount", self.disk], check=True)
        os.rmdir(self.disk)

    def free(self):
        disk = os.statvfs(self.disk)
        return disk.f_bavail * disk.f_frsize

    def fill(self, leave):
        """A ballast file takes all space but so much."""
        size = self.free() - leave
        with open(f"{self.disk}/ballast", "wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, size)

    def take_inodes(self, leave):
        """Empty files take all inodes but so many."""
        for number in range(os.statvfs(self.disk).f_favail - leave):
            open(f"{self.disk}/file-{number}", "x").close()

    def check_put_off(self, code, text):
        def look():
            sent = self.yard.submit("you@bigmail.test")
            return sent if sent.code != 250 else None
        sent = wait_until(look, 10, "mail was still taken")
        self.assertEqual(sent.code, code, sent.reply)
        self.assertIn(text, sent.reply)

    def accepted(self):
        """A small message; None while it is put off."""
        sent = self.yard.submit("you@bigmail.test")
        return sent if sent.code == 250 else None

    def check_resumes(self):
        os.unlink(f"{self.disk}/ballast")
        sent = wait_until(self.accepted, 15, "mail was not taken again")
        self.yard.outcome(sent, "delivered")

    def test_below_the_mark_mail_is_put_off_and_queued_mail_leaves(self):
        waiting = self.yard.submit("you@grey.test")
        self.yard.outcome(waiting, "deferred")
        self.fill(SOFT_LEFT)
        self.check_put_off(452, "4.3.1")
        self.yard.outcome(waiting, "delivered")
        self.check_resumes()

    def test_without_any_space_queued_mail_leaves_all_the_same(self):
        waiting = self.yard.submit("you@grey.test")
        self.yard.outcome(waiting, "deferred")
        self.fill(0)
        self.check_put_off(452, "4.3.1")
        self.yard.outcome(waiting, "delivered")
        self.check_resumes()

    def test_without_inodes_queued_mail_leaves_all_the_same(self):
        waiting = self.yard.submit("you@grey.test")
        self.yard.outcome(waiting, "deferred")
        self.take_inodes(0)
        self.check_put_off(452, "4.3.1")
        self.assertIn("min_free_inodes", self.yard.command("status").stdout)
        self.yard.outcome(waiting, "delivered")
        for path in Path(self.disk).glob("file-*"):
            path.unlink()
        sent = wait_until(self.accepted, 15, "mail was not taken again")
        self.yard.outcome(sent, "delivered")

    def test_a_message_larger_than_the_space_is_put_off(self):
        self.fill(JUST_ENOUGH)
        sent = self.yard.submit("you@bigmail.test",
                                body=LINE * (JUST_ENOUGH // len(LINE) + 1))
        self.assertEqual(sent.code, 452, sent.reply)
        small = wait_until(self.accepted, 5, "small mail is put off, too")
        self.yard.outcome(small, "delivered")


if __name__ == "__main__":
    unittest.main()
