"""What operators do with queued mail: here, after a restart, and on every
router."""

import json
import os
import signal
import subprocess
import unittest

from support import settings
from support.letters import Client
from support.places import program
from support.wait import wait_until
from yard import READY_S, STOP_S, Yard, pause, run

OK, USAGE, DATA = 0, 64, 65
SPREAD_S = 15  # for what one router did to be seen at another


class Desk:
    """Types `sendyard` against one router."""

    def __init__(self, test, config):
        self.test = test
        self.config = config

    def __call__(self, *words, code=OK):
        answer = run("sendyard", words[0], "--config", self.config, *words[1:])
        self.test.assertEqual(answer.returncode, code, answer)
        return answer.stdout

    def json(self, *words):
        return json.loads(self(*words, "--json"))

    def count(self, *criteria):
        return self.json("queue", "list", "--limit", "0", *criteria)["matched"]

    def await_count(self, count, *criteria, seconds=SPREAD_S):
        wait_until(lambda: self.count(*criteria) == count, seconds,
                   lambda: f"{self.count(*criteria)} messages, not {count}\n"
                           f"{self('queue')}{self('actions')}")

    def cause(self, sent):
        return self.json("why", sent.id)["pending"][0]["cause"]

    def states(self):
        return {action["id"]: action["state"]
                for action in self.json("actions")["actions"]}


class Typed(unittest.TestCase):
    """As a new user would type it."""

    def setUp(self):
        self.yard = self.enterContext(Yard())
        self.desk = Desk(self, self.yard.config)

    def test_a_pause_keeps_new_mail_and_a_resume_lets_it_go(self):
        made = self.desk.json("queue", "pause", "--stream", "neutral",
                              "--why", "listed at bigmail")
        sent = self.yard.submit("you@bigmail.test")
        other = self.yard.submit(
            "you@bigmail.test",
            headers={"X-Sendyard-Stream": "transactional"})
        self.yard.outcome(other, "delivered")
        self.desk.await_count(1, "--state", "paused")
        self.assertEqual(self.desk.cause(sent), "paused")
        self.assertIn("listed at bigmail", self.desk("why", sent.id))
        self.assertIn("in force", self.desk("actions"))
        self.assertIn("pauses in force", self.desk("status"))
        self.assertIn("paused", self.desk("message", sent.id))
        self.assertIn("paused", self.desk("queue"))
        self.desk("queue", "resume", made["id"])
        event = self.yard.outcome(sent, "delivered")
        self.assertEqual(event["attempt"], 1)
        self.assertEqual(self.desk.states()[made["id"]], "resumed")

    def test_what_waits_is_listed_told_of_and_tried_now(self):
        self.yard.write_config([('retry = "1s";', 'retry = "1h";')])
        self.desk("reload")
        sent = self.yard.submit("full@bigmail.test")
        self.yard.outcome(sent, "deferred")
        listed = self.desk("queue", "list", "--code", "4*", "--domain",
                           "bigmail.test")
        self.assertIn("full@bigmail.test", listed)
        self.assertIn("1 messages, 1 recipients match", listed)
        wait_until(lambda: self.desk.cause(sent) == "waiting", SPREAD_S,
                   "it does not wait")
        self.assertIn("earliest", self.desk("why", sent.id))
        self.assertIn("done", self.desk("queue", "requeue", sent.id,
                                        "--wait"))
        wait_until(lambda: len(self.yard.events("deferred", id=sent.id)) > 1,
                   SPREAD_S, "it was not tried again")

    def test_what_is_deleted_is_gone_without_a_report(self):
        sent = self.yard.submit("full@bigmail.test")
        self.yard.outcome(sent, "deferred")
        counted = self.desk("queue", "delete", "--dry-run", sent.id)
        self.assertIn("1 messages, 1 recipients match", counted)
        self.desk("queue", "delete", sent.id, code=USAGE)  # wants --yes
        self.assertEqual(self.desk.count(), 1)
        self.desk("queue", "delete", sent.id, "--yes", "--wait")
        self.assertEqual(self.desk.count(), 0)
        self.assertTrue(self.yard.events("deleted", id=sent.id))
        self.desk("why", sent.id, code=DATA)

    def test_a_bounce_by_hand_reaches_the_sender(self):
        sent = self.yard.submit("full@bigmail.test")
        self.yard.outcome(sent, "deferred")
        self.desk("queue", "bounce", "--recipient", "full@*", "--text",
                  "Mailbox is closed", "--yes", "--wait")
        event = self.yard.outcome(sent, "bounced")
        self.assertIn("Mailbox is closed", event["reply"])

    def test_mail_can_be_sent_by_another_route(self):
        made = self.desk.json("queue", "pause", "--pool", "neutral")
        sent = self.yard.submit("you@bigmail.test")
        self.desk.await_count(1, "--state", "paused")
        self.desk("queue", "reroute", "--to", "nowhere", "--all", code=DATA)
        self.desk("queue", "reroute", "--to", "bulk", sent.id, "--wait")
        event = self.yard.outcome(sent, "delivered")
        self.assertEqual((event["route"], event["pool"]), ("bulk", "bulk"))
        self.desk("queue", "resume", "--all")
        self.assertEqual(self.desk.states()[made["id"]], "resumed")

    def test_a_pause_outlives_the_death_of_the_router(self):
        self.desk("queue", "pause", "--recipient", "you@*")
        self.yard.kill("router")
        wait_until(self.yard.is_ready, READY_S, "the router is not back")
        sent = self.yard.submit("you@bigmail.test")
        self.desk.await_count(1, "--recipient", "you@*")
        pause(1)
        self.assertFalse(self.yard.arrived(sent))
        self.assertEqual(self.desk.cause(sent), "paused")
        self.desk("queue", "resume", "--recipient", "you@*")
        self.yard.outcome(sent, "delivered")

    def test_an_order_that_is_not_understood_does_nothing(self):
        sent = self.yard.submit("full@bigmail.test")
        self.yard.outcome(sent, "deferred")
        wrong = ({"dry_run": "true"}, {"dryrun": True}, {"for_ms": "2h"},
                 {"for_ms": -1}, {"why": 7})
        for more in wrong:
            with self.subTest(more=more):
                status, problem = self.yard.post(
                    "/v1/actions",
                    {"action": "delete", "filter": "all"} | more)
                self.assertEqual(status, 422)
                self.assertIn(next(iter(more)), problem["detail"])
        self.assertEqual(self.yard.post("/v1/actions", ["delete"])[0], 422)
        self.assertEqual(self.desk.states(), {})
        self.assertEqual(self.desk.count(), 1)

    def test_wrong_use_is_told(self):
        for words in (("delete",), ("nonsense",), ("list", "--shape", "x"),
                      ("list", "--older", "soon"), ("list", "--older"),
                      ("pause",), ("reroute", "--all"),
                      ("delete", "--all", "--stream", "x", "--yes"),
                      ("delete", "no-id", "--yes"),
                      ("requeue", "--all", "--for", "2h"),
                      ("pause", "--all", "--for", "0s"),
                      ("pause", "--all", "--for", "2h", "--for", "soon")):
            with self.subTest(words=words):
                answer = run("sendyard", "queue", "--config", self.yard.config,
                             *words)
                self.assertEqual(answer.returncode, USAGE, answer)
                self.assertTrue(answer.stderr, "nothing was said")
        self.desk("queue", "resume", "--all", code=DATA)
        self.desk("actions", "0000000000001", code=DATA)
        for words in (("queue", "--help"), ("queue", "delete", "--help"),
                      ("actions", "--help"), ("why", "--help")):
            with self.subTest(words=words):
                self.assertIn("usage", run("sendyard", *words).stdout)


class Cluster(unittest.TestCase):
    """A second router beside the yard's, with the same Redis."""

    def setUp(self):
        self.yard = self.enterContext(Yard())
        self.first = Desk(self, self.yard.config)
        self.config = self.yard.folder / "second.cfg"
        self.run_dir = self.yard.folder / "second"
        self.host = self.yard.net.address("0.2")
        self.run_dir.mkdir(mode=0o755)
        redis = self.yard.run_dir / "redis.sock"
        self.config.write_text(settings.make(
            self.yard.net, self.yard.internet.dns, self.run_dir, self.host, [
                ("workers = 2;", f"""workers = 2;
routers = ( {{ name = "second"; number = 7;
               bus = "ipc://{self.run_dir}/bus"; }} );
state = {{ redis = "unix://{redis}"; }};"""),
                ('path = "spool"', 'path = "spool-second"'),
                ('events = "events.log"', 'events = "events-second.log"')]))
        self.second = Desk(self, self.config)
        self.router = None
        self.start()
        self.addCleanup(self.stop)

    def start(self):
        with open(self.yard.folder / "second.log", "ab") as log:
            self.router = subprocess.Popen(
                [program("sendyard-router"), "--config", self.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: run("sendyard", "status", "--config",
                               self.config).returncode == OK,
                   READY_S, "the second router is not ready")

    def stop(self):
        if self.router.poll() is None:
            self.router.terminate()
            self.router.wait(STOP_S)

    def submit(self, to):
        with Client(self.host, settings.SUBMISSION, "acme-app",
                    self.yard.folder / "tls" / "cert.pem") as client:
            return client.send(to, "app@acme.test")

    def await_state(self, desk, action, state):
        wait_until(lambda: desk.states().get(action["id"]) == state, SPREAD_S,
                   lambda: f"not {state}: {desk.states()}")

    def test_every_router_carries_an_action_out_on_its_own_queue(self):
        self.submit("you@bigmail.test")  # no worker serves the second
        self.submit("me@bigmail.test")
        self.second.await_count(2)
        self.first("queue", "delete", "--recipient", "you@*", "--yes")
        self.second.await_count(1)

        def progress():
            action = self.first.json("actions")["actions"][0]
            return {router["router"]: (router["state"], router["done"])
                    for router in action["routers"]}
        wait_until(lambda: progress().get("second") == ("done", 1), SPREAD_S,
                   lambda: f"progress: {progress()}")

    def test_a_pause_reaches_the_others_and_a_resume_as_well(self):
        made = self.second.json("queue", "pause", "--stream", "neutral")
        self.await_state(self.first, made, "in force")
        sent = self.yard.submit("you@bigmail.test")
        self.first.await_count(1, "--state", "paused")
        self.second("queue", "resume", made["id"])
        self.await_state(self.first, made, "resumed")
        self.yard.outcome(sent, "delivered")

    def test_a_resume_made_without_redis_is_not_undone_by_it(self):
        made = self.second.json("queue", "pause", "--stream", "neutral")
        self.await_state(self.first, made, "in force")
        pid = self.yard.kill("redis", signal.SIGSTOP)
        try:
            self.second("queue", "resume", made["id"])
            alone = self.second.json("queue", "pause", "--stream", "bulk")
            pause(3)  # the link was given up
            self.assertEqual(self.first.states()[made["id"]], "in force")
        finally:
            os.kill(pid, signal.SIGCONT)
        self.await_state(self.first, made, "resumed")
        self.await_state(self.first, alone, "in force")
        pause(1)
        self.assertEqual(self.second.states()[made["id"]], "resumed")

    def test_a_router_that_was_away_carries_it_out_later(self):
        self.submit("you@bigmail.test")
        self.second.await_count(1)
        self.stop()
        self.first("queue", "delete", "--all", "--yes", "--wait")
        self.start()
        # What was found is not touched while workers may say that they hold it.
        self.second.await_count(0, seconds=READY_S)


if __name__ == "__main__":
    unittest.main()
