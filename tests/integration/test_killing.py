"""Processes die in the middle of work; mail does not."""

import os
import signal
import time
import unittest

from support import load, processes
from support.wait import wait_until
from yard import USER, Yard, pause

LEASE_S = 10  # within which the jobs of a dead worker leave by another


class KilledRouter(unittest.TestCase):
    def test_what_got_a_250_arrives_and_nothing_else(self):
        count = load.messages()
        with Yard(keep_messages=False) as yard, load.Load(yard, count) as flow:
            flow.begin()
            for share in (0.2, 0.6):
                flow.wait_sent(int(count * share))
                before = yard.kill("router")
                wait_until(lambda: yard.pids("router") not in ([], [before]),
                           10, "the router did not come back")
            audit = flow.finish()
            self.assertEqual(audit["lost"], 0, audit)
            self.assertEqual(audit["invented"], 0, audit)
            said = flow.said()
            self.assertEqual(said["accepted"] + said["in_doubt"]
                             + said["broken_off"], count, said)
            self.assertGreater(audit["acknowledged"], count * 0.9)
            self.check_duplicates(yard, audit)

    def check_duplicates(self, yard, audit):
        """A copy too many is allowed only where the log owns up to it."""
        owned_up = {event["id"] for event in
                    yard.events("possible_duplicate")}
        self.assertLessEqual(audit["duplicates"], len(owned_up), audit)

    def test_limits_hold_when_lanes_are_counted_anew(self):
        with Yard() as yard:
            with yard.client("acme-news") as client:
                letters = [client.send(f"u{n}@{domain}", "news@acme.test")
                           for n in range(50)
                           for domain in ("yoohoo.test", "bigmail.test")]
            wait_until(lambda: yard.events("delivered", site="bigmail"), 10,
                       "nothing was delivered")
            yard.kill("router")
            for sent in letters:
                yard.outcome(sent, "delivered", seconds=60)
            self.assertEqual(yard.violations(), {})

    def test_a_queue_outlives_it_with_its_attempts(self):
        with Yard() as yard:
            sent = yard.submit("full@bigmail.test")
            yard.outcome(sent, "deferred")
            fresh = yard.submit("you@grey.test")
            yard.kill("router")
            wait_until(yard.is_ready, 20, "the router did not come back")
            yard.outcome(fresh, "delivered")
            wait_until(lambda: max(event["attempt"] for event in
                                   yard.history(sent)
                                   if "attempt" in event) >= 3,
                       20, lambda: str(yard.history(sent)))
            attempts = [event["attempt"] for event in yard.history(sent)
                        if event["event"] == "deferred"]
            self.assertEqual(attempts, sorted(attempts))


class KilledWorker(unittest.TestCase):
    def setUp(self):
        self.yard = self.enterContext(Yard())

    def begin_slow_mail(self):
        """Messages that both workers hold: slow.test takes its time."""
        with self.yard.client() as client:
            letters = [client.send(f"u{n}@slow.test", "app@acme.test",
                                   headers={"X-Sendyard-Stream":
                                            "transactional"})
                       for n in range(20)]
        wait_until(lambda: len(self.yard.internet.events(
            "connect", provider="slow")) >= 4, 10, "nobody connected")
        pause(1.5)
        return letters

    def check_all_arrive(self, letters):
        for sent in letters:
            self.yard.outcome(sent, "delivered", seconds=60)
        twice = [sent.id for sent in letters if len(self.yard.arrived(sent))
                 > 1]
        owned_up = {event["id"] for event in
                    self.yard.events("possible_duplicate")}
        self.assertLessEqual(set(twice), owned_up)

    def test_its_jobs_leave_by_another_one(self):
        letters = self.begin_slow_mail()
        # Stopped, serve does not start it again: the other one must help.
        os.kill(self.yard.serve_pid, signal.SIGSTOP)
        try:
            self.yard.kill("worker-1")
            began = time.monotonic()
            lost = wait_until(lambda: self.yard.events("worker_lost"),
                              LEASE_S + 1, "nobody missed the worker")
            self.assertLess(time.monotonic() - began, LEASE_S)
            self.assertEqual(lost[0]["worker"], "worker-1")
            self.assertGreater(lost[0]["leases"], 0)
            self.assertEqual(len(self.yard.events("possible_duplicate",
                                                  worker="worker-1")),
                             lost[0]["leases"])
            self.check_all_arrive(letters)
        finally:
            os.kill(self.yard.serve_pid, signal.SIGCONT)

    def test_it_comes_back(self):
        letters = self.begin_slow_mail()
        before = self.yard.kill("worker-1")
        wait_until(lambda: self.yard.pids("worker-1") not in ([], [before]),
                   5, "it did not come back")
        self.check_all_arrive(letters)

    def test_one_that_hangs_is_given_up_and_no_mail_is_lost(self):
        letters = self.begin_slow_mail()
        pid = self.yard.kill("worker-1", signal.SIGSTOP)
        try:
            wait_until(lambda: self.yard.events("worker_lost"), LEASE_S + 1,
                       "nobody missed the worker")
        finally:
            os.kill(pid, signal.SIGCONT)
        self.check_all_arrive(letters)


class Ending(unittest.TestCase):
    def setUp(self):
        self.yard = self.enterContext(Yard())
        self.pids = self.yard.everything()
        self.assertGreaterEqual(len(self.pids), 5)  # serve, Redis, 1 + 2

    def check_nothing_left(self):
        wait_until(lambda: not any(map(processes.alive, self.pids)), 5,
                   lambda: str([processes.command_line(pid) for pid in
                                self.pids if processes.alive(pid)]))
        self.assertFalse([pid for pid in
                          processes.naming(str(self.yard.run_dir))])

    def test_sigterm_ends_all(self):
        self.assertEqual(self.yard.stop(signal.SIGTERM), 0)
        self.check_nothing_left()

    def test_ctrl_c_ends_all_and_lets_deliveries_finish(self):
        sent = self.yard.submit("you@slow.test")
        wait_until(lambda: self.yard.internet.events(
            "connect", provider="slow"), 10, "nobody connected")
        pause(2.5)  # each reply takes a second: MAIL has been said
        # A terminal sends it to every process of the foreground group.
        os.killpg(self.yard.serve_pid, signal.SIGINT)
        self.assertEqual(self.yard.wait(), 0)
        self.check_nothing_left()
        self.assertEqual(len(self.yard.arrived(sent)), 1)
        self.assertEqual([event["event"] for event in
                          self.yard.history(sent, sent.to[0])],
                         ["delivered"])

    def test_a_second_ctrl_c_ends_all_at_once(self):
        self.yard.submit("you@silent.test")
        pause(0.5)
        began = time.monotonic()
        os.kill(self.yard.serve_pid, signal.SIGINT)
        pause(0.3)
        os.kill(self.yard.serve_pid, signal.SIGINT)
        self.yard.wait()
        self.assertLess(time.monotonic() - began, 5)
        self.check_nothing_left()

    def test_a_killed_serve_leaves_nothing_running(self):
        self.check_killed_serve(self.yard)

    def test_a_killed_serve_leaves_nothing_of_another_user_running(self):
        with Yard(user=USER) as yard:
            self.check_killed_serve(yard)

    def check_killed_serve(self, yard):
        pids = yard.everything()
        os.kill(yard.serve_pid, signal.SIGKILL)
        yard.wait()
        wait_until(lambda: not any(map(processes.alive, pids)), 25,
                   lambda: str([processes.command_line(pid) for pid in pids
                                if processes.alive(pid)]))

    def test_it_starts_again_on_the_same_folder(self):
        sent = self.yard.submit("full@bigmail.test")
        self.yard.outcome(sent, "deferred")
        self.assertEqual(self.yard.stop(), 0)
        self.yard.start()
        before = len(self.yard.history(sent))
        wait_until(lambda: len(self.yard.history(sent)) > before, 15,
                   "the queued message was not tried again")


if __name__ == "__main__":
    unittest.main()
