"""Routers, Redis, workers and receivers on hosts of their own, which are cut off,
slowed, and die."""

import json
import signal
import time
import unittest

from cluster import SOURCE_LOW, Cluster
from support.hosts import are_permitted
from support.wait import wait_until

LEASE_S = 10  # by then the work of a lost worker is somebody else's


@unittest.skipUnless(are_permitted(), "no network namespaces here")
class TheHosts(unittest.TestCase):
    def setUp(self):
        self.cluster = self.enterContext(Cluster())

    def sources_of(self, sent):
        ids = {one.id for one in sent}
        return {event["source"] for event in self.cluster.events("delivered")
                if event["id"] in ids}

    def test_each_host_sends_for_both_routers(self):
        for router in (1, 2):
            sent = []

            def all_send(router=router, sent=sent):
                sent += self.cluster.submit(router, "u%d@bigmail.test", 12)
                return self.sources_of(sent) == {"s1", "s2", "s3"}
            wait_until(all_send, 10, self.cluster.logs)
            self.cluster.wait_delivered(sent)
        ips = {line["source"] for line in
               self.cluster.internet.messages(provider="bigmail")}
        self.assertEqual(ips, {
            self.cluster.hosts.address(SOURCE_LOW + n) for n in (1, 2, 3)})

    def test_a_host_that_is_cut_off_loses_nothing_but_time(self):
        early = self.cluster.submit(1, "u%d@slow.test", 40)
        wait_until(lambda: self.sources_of(early) >= {"s1"}, 20,
                   self.cluster.logs)
        self.cluster.hosts.cut("worker-1")
        begin = time.monotonic()
        late = self.cluster.submit(1, "v%d@bigmail.test", 30)
        self.cluster.wait_delivered(late, LEASE_S)
        self.cluster.wait_delivered(early, 60)
        self.assertNotIn("s1", self.sources_of(late))
        self.check_copies_are_named()
        self.cluster.hosts.mend("worker-1")
        wait_until(lambda: "s1" in self.sources_of(
            self.cluster.submit(2, "w%d@bigmail.test", 5)), 30,
            self.cluster.logs)
        print(f"# cut off: all else was sent after "
              f"{time.monotonic() - begin:.1f} s")

    def check_copies_are_named(self):
        """No message arrived twice but those that the log names."""
        named = {event["id"] for event in
                 self.cluster.events("possible_duplicate")}
        seen = set()
        for line in self.cluster.internet.messages():
            key = (line["message_id"], str(line["rcpts"]))
            if key in seen:
                self.assertTrue(any(one in line["message_id"]
                                    for one in named), line)
            seen.add(key)

    def test_a_host_that_dies_loses_nothing_but_time(self):
        sent = self.cluster.submit(2, "u%d@slow.test", 40)
        wait_until(lambda: len(self.sources_of(sent)) == 3, 20,
                   self.cluster.logs)
        self.cluster.stop("worker-2")
        self.cluster.wait_delivered(sent, 60)
        self.check_copies_are_named()
        self.cluster.start("worker-2")
        wait_until(lambda: "s2" in self.sources_of(
            self.cluster.submit(1, "w%d@bigmail.test", 5)), 30,
            self.cluster.logs)

    def test_a_router_and_a_worker_die_and_one_comes_back(self):
        sent = self.cluster.submit(1, "u%d@slow.test", 40)
        wait_until(lambda: len(self.sources_of(sent)) == 3, 20,
                   self.cluster.logs)
        self.cluster.stop("router-1")
        self.cluster.stop("worker-2")
        self.cluster.start("router-1")
        self.cluster.wait_delivered(sent, 60)
        self.check_copies_are_named()
        owned = self.cluster.events("possible_duplicate")
        self.assertEqual({event["worker"] for event in owned}, {"worker-2"})
        print(f"# {len(owned)} were named as possible duplicates")

    def test_a_slow_host_does_not_slow_the_others(self):
        self.cluster.hosts.slow("worker-3", "64kbit")
        sent = self.cluster.submit(1, "u%d@bigmail.test", 60)
        self.cluster.wait_delivered(sent, 40)

    def test_redis_that_is_cut_off_is_not_needed(self):
        sent = self.cluster.submit(1, "u%d@meter.test", 200)
        wait_until(lambda: len(self.cluster.events("delivered")) >= 20, 20,
                   self.cluster.logs)
        self.cluster.hosts.cut("redis")
        self.cluster.wait_delivered(sent, 40)
        self.cluster.hosts.mend("redis")
        self.cluster.wait_delivered(
            self.cluster.submit(2, "v%d@meter.test", 60), 40)
        counts = self.cluster.internet.stats()["meter"]
        self.assertEqual(counts["violations"], {})
        self.assertEqual(self.cluster.events("deferred"), [])

    def test_a_router_that_is_cut_off_gets_its_results_later(self):
        sent = self.cluster.submit(1, "u%d@slow.test", 12)
        wait_until(lambda: self.cluster.events("delivered"), 20,
                   self.cluster.logs)
        self.cluster.hosts.cut("router-1")
        other = self.cluster.submit(2, "v%d@bigmail.test", 20)
        self.cluster.wait_delivered(other, 20)
        self.cluster.hosts.mend("router-1")
        self.cluster.wait_delivered(sent, 60)
        self.check_copies_are_named()

    def test_an_address_that_moves_is_found_at_once(self):
        self.cluster.hosts.remove_address("worker-1", SOURCE_LOW + 1)
        self.cluster.hosts.add_address("worker-2", SOURCE_LOW + 1)
        wait_until(lambda: self.source_counts() == [0, 2, 1], 3,
                   lambda: self.cluster.command(1, "status"))
        sent = []

        def all_send():  # a host's first offer may come after a few are sent
            sent.extend(self.cluster.submit(1, "u%d@bigmail.test", 10))
            self.cluster.wait_delivered(sent)
            return self.sources_of(sent) == {"s1", "s2", "s3"}
        wait_until(all_send, 10, self.cluster.logs)

    def source_counts(self):
        """How many sources each worker holds, as router 1 knows."""
        status = json.loads(self.cluster.command(1, "status", "--json"))
        workers = sorted(status["dispatch"]["workers"],
                         key=lambda worker: worker["name"])
        return [len(worker["sources"]) for worker in workers]

    def test_a_worker_that_stops_and_comes_back_is_late(self):
        sent = self.cluster.submit(1, "u%d@slow.test", 30)
        wait_until(lambda: len(self.sources_of(sent)) == 3, 20,
                   self.cluster.logs)
        self.cluster.signal("worker-3", signal.SIGSTOP)
        self.cluster.wait_delivered(sent, 60)
        self.cluster.signal("worker-3", signal.SIGCONT)
        more = self.cluster.submit(1, "v%d@bigmail.test", 30)
        self.cluster.wait_delivered(more)
        self.check_copies_are_named()


if __name__ == "__main__":
    unittest.main()
