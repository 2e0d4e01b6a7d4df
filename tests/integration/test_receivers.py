"""Receivers that are slow, silent or broken hold up nobody else."""

import time
import unittest

from yard import Yard, pause

GREETING = ('greeting_timeout = "8s"', 'greeting_timeout = "2s"')


class Receivers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.yard = cls.enterClassContext(Yard([GREETING]))

    def test_a_silent_receiver_times_out_and_holds_up_nobody(self):
        with self.yard.client() as client:
            silent = [client.send(f"u{n}@silent.test", "app@acme.test")
                      for n in range(30)]
            pause(0.5)  # let them take all the connections they may have
            began = time.monotonic()
            others = [client.send(f"u{n}@bigmail.test", "app@acme.test")
                      for n in range(5)]
        for sent in others:
            self.yard.outcome(sent, "delivered", seconds=5)
        self.assertLess(time.monotonic() - began, 5)
        event = self.yard.outcome(silent[0], "deferred")
        self.assertNotIn("code", event)
        self.assertTrue(event["status"].startswith("4."), event)

    def test_a_busy_receiver_is_tried_again(self):
        sent = self.yard.submit("you@busy.test")
        event = self.yard.outcome(sent, "deferred")
        self.assertIn("too busy", event["reply"])

    def test_a_receiver_that_makes_no_sense_is_tried_again(self):
        self.yard.outcome(self.yard.submit("you@garbage.test"), "deferred")

    def test_slow_ones_get_their_mail(self):
        for domain in ("slow.test", "drip.test"):
            sent = self.yard.submit(f"you@{domain}")
            self.yard.outcome(sent, "delivered", seconds=30)

    def test_a_connection_lost_after_the_data_is_tried_again(self):
        sent = self.yard.submit("you@drop.test")
        self.yard.outcome(sent, "deferred")
        doubtful = self.yard.submit("you@indoubt.test")
        self.yard.outcome(doubtful, "delivered")
        self.assertGreaterEqual(len(self.yard.arrived(doubtful)), 1)
        self.assertNotEqual(
            self.yard.events("possible_duplicate", id=doubtful.id), [])


class HalfDead(unittest.TestCase):
    def test_one_connection_waits_for_a_dead_host_and_no_other(self):
        with Yard([GREETING]) as yard:
            yard.command("worker", "drain", "worker-2")
            for stream, at_least, at_most in (("neutral", 2, 10),
                                              ("bulk", 0, 1.5),
                                              ("transactional", 0, 1.5)):
                began = time.monotonic()
                sent = yard.submit("you@half.test", headers={
                    "X-Sendyard-Stream": stream})
                yard.arrival(sent)
                took = time.monotonic() - began
                self.assertGreaterEqual(took, at_least, stream)
                self.assertLess(took, at_most, stream)
            self.assertEqual(len(yard.internet.events(
                "connect", provider="silent")), 1)
            self.assertEqual(yard.log.count("event=address_absent"), 1)


if __name__ == "__main__":
    unittest.main()
