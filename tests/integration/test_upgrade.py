"""Every process of a cluster is restarted under load, one after the other."""

import signal
import smtplib
import threading
import time
import unittest
from collections import Counter

from cluster import ROUTERS, WORKERS, Cluster
from support.hosts import are_permitted

STEADY_S = 1  # of load between two restarts


class Submitter(threading.Thread):
    """Sends to one router all the time; a router that is down is tried again."""

    def __init__(self, cluster, router):
        super().__init__()
        self.cluster = cluster
        self.router = router
        self.sent = []
        self.refused = []  # (time, code)
        self.away = []     # times at which nobody was there
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            try:
                with self.cluster.client(self.router) as client:
                    self._talk(client)
            except (OSError, smtplib.SMTPException):
                self.away.append(time.monotonic())
                time.sleep(0.05)

    def _talk(self, client):
        while not self.ended.is_set():
            sent = client.send("you@bigmail.test", "app@acme.test")
            if sent.code == 250:
                self.sent.append(sent)
            else:
                self.refused.append((time.monotonic(), sent.code))
                return
            time.sleep(0.01)


@unittest.skipUnless(are_permitted(), "no network namespaces here")
class Upgrade(unittest.TestCase):
    def setUp(self):
        self.cluster = self.enterContext(Cluster())
        self.submitters = [Submitter(self.cluster, n) for n in ROUTERS]
        for submitter in self.submitters:
            submitter.start()
            self.addCleanup(submitter.ended.set)

    def restart(self, name):
        """From when to when it was not there."""
        begin = time.monotonic()
        self.assertEqual(self.cluster.stop(name, signal.SIGTERM), 0, name)
        self.cluster.start(name)
        time.sleep(STEADY_S)
        return begin, time.monotonic()

    def test_a_rolling_restart_loses_nothing_and_doubles_nothing(self):
        time.sleep(STEADY_S)
        for n in WORKERS:
            self.restart(f"worker-{n}")
        down = {n: self.restart(f"router-{n}") for n in ROUTERS}
        for submitter in self.submitters:
            submitter.ended.set()
            submitter.join(20)
            self.check_submitter(submitter, *down[submitter.router])
        sent = [one for submitter in self.submitters
                for one in submitter.sent]
        self.assertGreater(len(sent), 300)
        self.cluster.wait_delivered(sent)
        self.check_arrivals(sent)

    def check_submitter(self, submitter, begin, end):
        """Nobody was turned away but by the router that was restarting."""
        for at in (*submitter.away, *(at for at, _ in submitter.refused)):
            self.assertTrue(begin <= at <= end, submitter.router)

    def check_arrivals(self, sent):
        arrived = Counter(line["subject"] for line in
                          self.cluster.internet.messages(provider="bigmail"))
        for one in sent:
            self.assertEqual(arrived[one.subject], 1, one)
        self.assertEqual(self.cluster.events("possible_duplicate"), [])
        self.assertEqual(self.cluster.events("deferred"), [])


if __name__ == "__main__":
    unittest.main()
