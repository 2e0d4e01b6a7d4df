"""Redis and the resolver go away; mail goes on within its limits."""

import os
import signal
import unittest

from support.wait import wait_until
from yard import Yard

QUICK_RESOLVER = ('resolver = { address = "127.20.0.53:5353"; }',
                  'resolver = { address = "127.20.0.53:5353"; '
                  'timeout = "300ms"; tries = 2; }')
COUNT = 120


class Redis(unittest.TestCase):
    def setUp(self):
        self.yard = self.enterContext(Yard())
        with self.yard.client("acme-news") as client:
            self.letters = [client.send(f"u{n}@yoohoo.test", "news@acme.test")
                            for n in range(COUNT)]
        self.wait_delivered(15)

    def delivered(self):
        return len(self.yard.events("delivered", site=self.site()))

    def site(self):
        events = self.yard.events("delivered")
        return events[0]["site"] if events else ""

    def wait_delivered(self, count, seconds=40):
        wait_until(lambda: self.delivered() >= count, seconds,
                   lambda: f"{self.delivered()} of {count} were delivered\n"
                           f"{self.yard.command('queue').stdout}")

    def check_limits_held(self):
        counts = self.yard.internet.stats()["yoohoo"]
        self.assertEqual(counts["violations"], {})
        self.assertLessEqual(
            max(each["max"] for each in counts["sources"].values()), 2)

    def test_mail_flows_within_its_limits_while_redis_hangs(self):
        pid = self.yard.kill("redis", signal.SIGSTOP)
        try:
            self.wait_delivered(self.delivered() + 50)
            fresh = self.yard.submit("you@bigmail.test")
            self.yard.outcome(fresh, "delivered")
        finally:
            os.kill(pid, signal.SIGCONT)
        self.wait_delivered(COUNT)
        self.check_limits_held()

    def test_mail_flows_within_its_limits_when_redis_was_killed(self):
        before = self.yard.kill("redis")
        wait_until(lambda: self.yard.pids("redis") not in ([], [before]), 10,
                   "Redis did not come back")
        self.wait_delivered(COUNT)
        self.check_limits_held()


class Resolver(unittest.TestCase):
    def setUp(self):
        self.yard = self.enterContext(Yard([QUICK_RESOLVER]))

    def warm(self):
        """A site whose names both workers know when the resolver goes."""
        with self.yard.client() as client:
            letters = [client.send(f"u{n}@bigmail.test", "app@acme.test")
                       for n in range(20)]
        for sent in letters:
            self.yard.outcome(sent, "delivered")

    def check(self):
        known = self.yard.submit("you@bigmail.test")
        unknown = self.yard.submit("you@outpost.test")
        self.yard.outcome(known, "delivered", seconds=5)
        self.yard.outcome(unknown, "deferred")
        self.assertEqual(self.yard.events("bounced"), [])
        return unknown

    def test_a_dead_resolver_defers_mail_and_bounces_none(self):
        self.warm()
        self.yard.internet.kill_resolver()
        sent = self.check()
        self.yard.internet.start_resolver()
        self.yard.outcome(sent, "delivered")

    def test_a_resolver_that_hangs_does_the_same(self):
        self.warm()
        pid = self.yard.internet.pid("unbound")
        os.kill(pid, signal.SIGSTOP)
        try:
            sent = self.check()
        finally:
            os.kill(pid, signal.SIGCONT)
        self.yard.outcome(sent, "delivered")


if __name__ == "__main__":
    unittest.main()
