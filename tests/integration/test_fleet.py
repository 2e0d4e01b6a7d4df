"""Workers leave: killed, hung, or because an operator wants it."""

import contextlib
import json
import os
import signal
import subprocess
import time
import unittest

from support.cable import Cable
from support.places import program
from support.wait import wait_until
from yard import Yard, pause

FREE_S = 10  # jobs and slots of a worker that is gone are free within
# One connection, and no time-out of SMTP that could help.
SILENT = ("limits = (", 'limits = ( { domain = "silent.test"; max_smtp_out = 1; '
          'greeting_timeout = "5m"; },')


def workers(yard):
    """The live ones, by name."""
    answer = json.loads(yard.command("worker", "list", "--json").stdout)
    return {worker["name"]: worker for worker in answer["workers"]}


class Gone(unittest.TestCase):
    """Its job, and the only slot there is, are another worker's in time."""

    def setUp(self):
        self.yard = self.enterContext(Yard([SILENT]))

    def connects(self):
        return self.yard.internet.events("connect", provider="silent")

    def holder(self):
        """The worker that has the one job."""
        sent = self.yard.submit("you@silent.test", headers={
            "X-Sendyard-Stream": "neutral"})
        wait_until(self.connects, 10, "nobody connected")
        names = [name for name, worker in workers(self.yard).items()
                 if worker["leases"] == 1]
        self.assertEqual(len(names), 1)
        return sent, names[0]

    def check_taken_over(self, sent, name, began, how):
        wait_until(lambda: len(self.connects()) > 1, FREE_S + 5,
                   lambda: f"nobody took over: {self.yard.history(sent)}")
        took = time.monotonic() - began
        print(f"    {how}: re-dispatched after {took:.1f} s", flush=True)
        self.assertLess(took, FREE_S)
        named = self.yard.events("possible_duplicate")
        self.assertEqual([(event["id"], event["worker"]) for event in named],
                         [(sent.id, name)])
        self.assertEqual(self.yard.violations(), {})

    @contextlib.contextmanager
    def stopped(self, pid):
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def test_killed_and_not_started_again(self):
        sent, name = self.holder()
        with self.stopped(self.yard.serve_pid):
            began = time.monotonic()
            self.yard.kill(name)
            self.check_taken_over(sent, name, began, "SIGKILL")

    def test_hung(self):
        sent, name = self.holder()
        began = time.monotonic()
        with self.stopped(self.yard.pid(name)):
            self.check_taken_over(sent, name, began, "SIGSTOP")


class Late(unittest.TestCase):
    def test_what_it_says_of_a_lease_that_it_lost_changes_nothing(self):
        with Yard() as yard:
            with yard.client() as client:
                letters = [client.send(f"u{n}@slow.test", "app@acme.test",
                                       headers={"X-Sendyard-Stream":
                                                "transactional"})
                           for n in range(8)]
            wait_until(lambda: len(yard.internet.events(
                "connect", provider="slow")) >= 4, 10, "nobody connected")
            pause(1.5)
            pid = yard.kill("worker-1", signal.SIGSTOP)
            try:
                wait_until(lambda: yard.events("worker_lost"), FREE_S + 1,
                           "nobody missed the worker")
                for sent in letters:
                    yard.outcome(sent, "delivered", seconds=60)
            finally:
                os.kill(pid, signal.SIGCONT)
            wait_until(lambda: len(workers(yard)) == 2, 10,
                       "the worker did not come back")
            pause(8)  # what it had begun ends
            for sent in letters:
                self.assertEqual(len(yard.events("delivered", id=sent.id)), 1)
                self.assertEqual(yard.history(sent)[-1]["event"], "delivered")
            twice = {sent.id for sent in letters
                     if len(yard.arrived(sent)) > 1}
            named = [event["id"] for event in
                     yard.events("possible_duplicate")]
            self.assertLessEqual(twice, set(named))
            self.assertEqual(len(named), len(set(named)))


class CutOff(unittest.TestCase):
    """A third worker, whose line to the router can be cut. It goes on with what
    it has begun, and nobody hears of it."""

    def setUp(self):
        self.yard = self.enterContext(Yard())
        run = self.yard.run_dir
        self.cable = Cable(run / "cable", run / "bus")
        self.addCleanup(self.cable.close)
        config = self.yard.folder / "far.cfg"
        config.write_text(self.yard.config.read_text() + (
            'routers = ( { name = "router-1"; number = 1; '
            f'bus = "ipc://{run}/cable"; }} );\n'
            f'state = {{ redis = "unix://{run}/redis.sock"; }};\n'))
        log = self.enterContext(open(self.yard.folder / "far.log", "wb"))
        far = subprocess.Popen([program("sendyard-worker"), "--config", config,
                                "--name", "far"], stdout=log, stderr=log)
        self.addCleanup(far.wait)
        self.addCleanup(far.kill)
        wait_until(lambda: "far" in workers(self.yard), 10, "it did not come")

    def test_its_jobs_are_others_in_time_and_its_word_is_late(self):
        yard = self.yard
        for name in ("worker-1", "worker-2"):
            yard.command("worker", "drain", name)
        with yard.client() as client:
            letters = [client.send(f"u{n}@slow.test", "app@acme.test",
                                   headers={"X-Sendyard-Stream":
                                            "transactional"})
                       for n in range(4)]
        wait_until(lambda: workers(yard)["far"]["leases"] > 0, 10,
                   "it has nothing")
        pause(1.5)
        held = workers(yard)["far"]["leases"]
        for name in ("worker-1", "worker-2"):
            yard.command("worker", "resume", name)
        began = time.monotonic()
        self.cable.cut()
        wait_until(lambda: yard.events("possible_duplicate"), FREE_S + 5,
                   "nobody missed it")
        took = time.monotonic() - began
        print(f"    cut off: {held} jobs given to others after {took:.1f} s",
              flush=True)
        self.assertLess(took, FREE_S)
        for sent in letters:
            yard.outcome(sent, "delivered", seconds=40)
        self.cable.mend()
        wait_until(lambda: "far" in workers(yard), 10, "it did not come back")
        wait_until(lambda: "event=result_late" in yard.log, 10,
                   "it has nothing to say")
        pause(1)
        for sent in letters:
            self.assertEqual(len(yard.events("delivered", id=sent.id)), 1)
            self.assertEqual(yard.history(sent)[-1]["event"], "delivered")
        named = [event["id"] for event in yard.events("possible_duplicate")]
        twice = {sent.id for sent in letters if len(yard.arrived(sent)) > 1}
        self.assertLessEqual(twice, set(named))
        self.assertEqual(len(named), len(set(named)))
        # Until it hears that they were heard it says its results again.
        late = {line.split(" ", 1)[1] for line in yard.log.splitlines()
                if "event=result_late" in line}
        self.assertLessEqual(len(late), held)


class Drained(unittest.TestCase):
    def setUp(self):
        self.yard = self.enterContext(Yard())

    def order(self, verb, name="worker-1", code=0):
        done = self.yard.command("worker", verb, name)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout

    def send_many(self, count=40):
        with self.yard.client("acme-news") as client:
            letters = [client.send(f"u{n}@bigmail.test", "news@acme.test")
                       for n in range(count)]
        for sent in letters:
            self.yard.outcome(sent, "delivered")

    def jobs_sent(self):
        return workers(self.yard)["worker-1"]["jobs_sent"]

    def test_it_finishes_and_takes_nothing_more_until_it_is_resumed(self):
        with self.yard.client() as client:
            slow = [client.send(f"u{n}@slow.test", "app@acme.test",
                                headers={"X-Sendyard-Stream":
                                         "transactional"})
                    for n in range(6)]
        wait_until(lambda: workers(self.yard)["worker-1"]["leases"] > 0, 10,
                   "it has nothing")
        pause(1.5)
        self.assertIn("worker-1 is draining", self.order("drain"))
        self.assertIn("draining", self.yard.command("status").stdout)
        wait_until(lambda: workers(self.yard)["worker-1"]["leases"] == 0, 20,
                   "it goes on")
        before = self.jobs_sent()
        self.send_many()
        for sent in slow:
            self.yard.outcome(sent, "delivered", seconds=40)
            self.assertEqual(len(self.yard.arrived(sent)), 1)
        self.assertEqual(self.jobs_sent(), before)
        self.assertEqual(self.yard.events("possible_duplicate"), [])

        self.assertIn("worker-1 goes on", self.order("resume"))
        self.assertNotIn("draining", self.yard.command("status").stdout)
        self.order("drain", "worker-2")  # which has the connections
        self.send_many()
        self.assertGreaterEqual(self.jobs_sent(), before + 40)

    def test_it_stays_drained_over_a_restart_of_the_router(self):
        self.order("drain")
        self.yard.kill("router")
        wait_until(lambda: "worker-1" in self.yard.command(
            "worker", "list").stdout, 20, "the router did not come back")
        wait_until(lambda: workers(self.yard)["worker-1"]["draining"], 5,
                   "it takes mail")
        self.send_many()
        self.assertEqual(self.jobs_sent(), 0)

    def test_its_restart_ends_it(self):
        self.order("drain")
        before = self.yard.kill("worker-1")
        wait_until(lambda: self.yard.pids("worker-1") not in ([], [before]), 5,
                   "it did not come back")
        wait_until(lambda: "worker-1" in workers(self.yard)
                   and not workers(self.yard)["worker-1"]["draining"], 5,
                   "it is drained")

    def test_names_and_words_that_are_wrong(self):
        self.order("drain", "worker-9", code=65)
        self.order("resume", "../status", code=65)
        self.order("stop", code=64)
        self.assertEqual(self.yard.command("worker").returncode, 64)


if __name__ == "__main__":
    unittest.main()
