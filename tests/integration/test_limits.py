"""Workers keep to one limit, use it, and part it among them."""

import os
import signal
import time
import unittest
from collections import defaultdict

from support.wait import wait_until
from yard import Yard

WORKERS = 8
EIGHT = ("workers = 2;", f"workers = {WORKERS};")
LIMITS = ('{ domain = "yoohoo.test";',
          '{ domain = "meter.test"; max_smtp_out = 20; max_msg_rate = "10/s";'
          ' },\n    { domain = "narrow.test"; max_smtp_out = 20; },\n'
          '    { domain = "yoohoo.test";')
SOURCES = 2  # of the bulk pool
WINDOW_S = 5
START_S = 3  # until all workers have mail and slots


class Limited(unittest.TestCase):
    CHANGES = [LIMITS]

    def setUp(self):
        self.yard = self.enterContext(
            Yard(self.CHANGES, keep_messages=False))

    def send(self, domain, count):
        with self.yard.client("acme-news") as client:
            for n in range(count):
                client.send(f"u{n}@{domain}", "news@acme.test")

    def arrivals(self, provider):
        """source -> times of its messages, in s."""
        times = defaultdict(list)
        for line in self.yard.internet.messages(provider=provider):
            times[line["source"]].append(line["time"] / 1000)
        return times

    def wait_arrived(self, provider, count, seconds):
        def arrived():
            return sum(map(len, self.arrivals(provider).values()))
        wait_until(lambda: arrived() >= count, seconds,
                   lambda: f"{arrived()} of {count}\n"
                           f"{self.yard.command('queue').stdout}")

    def check_used(self, provider, per_s, since=0):
        """95 % of the allowance of each source, while there was mail for it
        (since a time of the clock)."""
        for source, times in self.arrivals(provider).items():
            begin, end = max(min(times) + START_S, since), max(times) - 1
            inside = [one for one in times if begin <= one < end]
            rate = len(inside) / (end - begin)
            self.assertGreater(end - begin, 5)
            self.assertGreaterEqual(rate, 0.95 * per_s, source)

    def check_rate_kept(self, provider, per_s, more=1):
        """A busy machine moves single messages by fractions of a second: the
        receiver allows for that, and here is the sum."""
        for source, times in self.arrivals(provider).items():
            times.sort()
            most = WINDOW_S * per_s + more
            for first, last in zip(times, times[most:]):
                self.assertGreater(last - first, WINDOW_S - 0.25, source)

    def check_kept(self, provider):
        counts = self.yard.internet.stats()[provider]
        self.assertEqual(counts["violations"], {})
        self.assertEqual(len(counts["sources"]), SOURCES)
        self.assertLessEqual(
            max(each["max"] for each in counts["sources"].values()), 20)
        return counts


class Limits(Limited):
    CHANGES = [EIGHT, LIMITS]

    def test_a_rate(self):
        self.send("meter.test", 300)
        self.wait_arrived("meter", 300, 60)
        self.check_kept("meter")
        self.check_rate_kept("meter", 10)
        self.check_used("meter", 10)

    def test_connections(self):
        self.send("narrow.test", 1000)
        self.wait_arrived("narrow", 1000, 60)
        counts = self.check_kept("narrow")
        self.assertEqual(
            max(each["max"] for each in counts["sources"].values()), 20)
        self.check_used("narrow", 40)

    def test_a_rate_while_redis_is_killed_slow_and_emptied(self):
        self.send("meter.test", 400)
        self.wait_arrived("meter", 40, 30)
        self.yard.kill("redis")
        self.wait_arrived("meter", 120, 40)
        pid = self.yard.pid("redis")
        for _ in range(3):  # an answer comes after a second
            os.kill(pid, signal.SIGSTOP)
            time.sleep(1)
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.3)
        self.wait_arrived("meter", 240, 40)
        self.yard.redis("FLUSHALL")
        self.wait_arrived("meter", 400, 60)
        # Beyond the limit is at most what was granted before: a token each.
        counts = self.yard.internet.stats()["meter"]
        self.assertLessEqual(counts["violations"].get("rate", 0), WORKERS)
        self.assertLessEqual(len(self.yard.events("deferred")), WORKERS)
        self.check_rate_kept("meter", 10, WORKERS)


class Late(Limited):
    """A worker that comes when another one has all the slots, and keeps them
    busy, gets its part."""

    def slots(self):
        """For each source: worker -> connections that Redis counts for it."""
        held = []
        for key in self.yard.redis("KEYS", "*slots:{*narrow*"):
            lines = self.yard.redis("HGETALL", key)
            held.append({name.split("#")[0]: int(text.split()[0])
                         for name, text in zip(lines[::2], lines[1::2])})
        return held

    def calls(self):
        """Scripts that Redis has run."""
        return sum(int(line.split("calls=")[1].split(",")[0])
                   for line in self.yard.redis("INFO", "commandstats")
                   if line.startswith("cmdstat_evalsha:"))

    def wait_held(self, one, other, seconds):
        def is_so():
            held = self.slots()
            return len(held) == SOURCES and all(
                (each.get("worker-1", 0), each.get("worker-2", 0))
                == (one, other) for each in held)
        return wait_until(is_so, seconds, lambda: str(self.slots()))

    def test_it_gets_its_part_of_the_connections(self):
        self.yard.command("worker", "drain", "worker-2")
        self.send("narrow.test", 1600)
        self.wait_held(20, 0, 10)
        calls, began = self.calls(), time.time()
        arrived = sum(map(len, self.arrivals("narrow").values()))
        self.yard.command("worker", "resume", "worker-2")
        self.wait_held(10, 10, 6)
        took = time.time() - began
        self.wait_arrived("narrow", 1600, 60)
        calls = (self.calls() - calls) / (1600 - arrived)
        print(f"    parted after {took:.1f} s, {calls:.3f} round trips a "
              "message", flush=True)
        self.assertLess(calls, 0.1)
        self.check_kept("narrow")
        self.check_used("narrow", 40, since=began)


if __name__ == "__main__":
    unittest.main()
