"""Templates: what a campaign may leak that passes for transactional mail, over
two routers, and what becomes of it when its template trips."""

import collections
import time
import unittest

from cluster import Cluster
from support.letters import RESET
from support.wait import wait_until
from test_operations import Desk
from yard import READY_S, Yard, pause

N = 50
SPREAD_S = 15
TRANSACTIONAL = {"X-Sendyard-Stream": "transactional"}
USAGE, DATA = 64, 65


NOTICES = (
    RESET,
    "Hello,\r\n\r\nyour verification code is 481516. Enter it on the sign-in "
    "page within ten minutes\r\nto finish logging in to your account. Never "
    "share this code with anybody; our staff will\r\nnot ask for it.\r\n",
    "Thank you for your order 10293. We have received your payment of 49.90 "
    "EUR, and your\r\ninvoice is below. We will let you know as soon as the "
    "parcel is on its way. If you have\r\nquestions about your order, reply to "
    "this email.\r\n",
    "Somebody signed in to your account from a new device in Berlin, Germany. "
    "If this was you,\r\nthere is nothing to do. If it was not, change your "
    "password now:\r\n\r\n    https://app.acme.test/security/0pXx817Qk293hdLw"
    "\r\n",
)
FOOTER = ("\r\nYou have this message since your address was given for an "
          "account with us, and it\r\nanswers to what was done there.\r\n")


STREAMS = """
pools = ( { name = "tx"; sources = ( "s1" ); },
          { name = "general"; sources = ( "s2", "s3" ); } );
routes = ( { name = "tx"; pool = "tx"; },
           { name = "general"; pool = "general"; } );
streams = ( { name = "transactional"; class = "transactional"; route = "tx"; },
            { name = "neutral"; class = "neutral"; route = "general"; },
            { name = "bulk"; class = "bulk"; route = "general"; } );
"""


class TwoRouters(unittest.TestCase):
    """On hosts of their own, with one Redis."""

    def setUp(self):
        self.cluster = self.enterContext(Cluster(STREAMS, "verify"))
        pause(1.5)  # until they have found Redis

    def say(self, router, *words):
        return self.cluster.command(router, *words)

    def await_template(self, router, template, word):
        wait_until(lambda: word in self.say(router, "template", "show",
                                            template), SPREAD_S,
                   lambda: f"not {word} at {router}: "
                           f"{self.say(router, 'template', 'list')}")

    def campaign(self, count):
        """By both routers in turn, each to a recipient of its own."""
        with (self.cluster.client(1) as first,
              self.cluster.client(2) as second):
            return [(first, second)[n % 2].send(
                f"u{time.time_ns()}@bigmail.test", "app@acme.test",
                headers=TRANSACTIONAL, body=RESET, subject="Your password")
                for n in range(count)]

    def accepted(self, sent):
        """How many of them went into each stream, and their templates."""
        wanted = {one.id for one in sent}
        self.assertNotIn(None, wanted)

        def find():
            return [event for event in self.cluster.events("accepted")
                    if event["id"] in wanted]
        wait_until(lambda: len(find()) == len(wanted), 20, self.cluster.logs)
        return (collections.Counter(event["stream"] for event in find()),
                {event["template"] for event in find()})

    def test_a_campaign_leaks_at_most_its_budget(self):
        counts, templates = self.accepted(self.campaign(200))
        print(f"    of 200 by two routers: {dict(counts)}, as "
              f"{len(templates)} template(s)", flush=True)
        self.assertLessEqual(counts["transactional"], N)
        self.assertGreaterEqual(counts["transactional"], N // 2)
        self.assertEqual(counts["bulk"], 0)

    def test_without_redis_it_is_the_same(self):
        self.cluster.stop("redis")
        pause(1.5)
        counts, _ = self.accepted(self.campaign(200))
        self.assertLessEqual(counts["transactional"], N)
        self.assertGreaterEqual(counts["transactional"], N // 2)

    def test_what_trips_is_moved_where_it_waits(self):
        self.say(1, "queue", "pause", "--stream", "transactional")
        wait_until(lambda: "in force" in self.say(2, "actions"), SPREAD_S,
                   "the pause did not spread")
        pause(1)
        sent = self.campaign(10)
        counts, templates = self.accepted(sent)
        self.assertEqual(counts["transactional"], 10)
        template = templates.pop()
        self.say(1, "template", "distrust", template)
        self.await_template(2, template, "tripped")
        moved = wait_until(lambda: len(self.cluster.events(
            "rerouted_by_operator")) == 10 and self.cluster.events(
                "rerouted_by_operator"), 20, self.cluster.logs)
        self.assertEqual({event["id"] for event in moved},
                         {one.id for one in sent})
        self.assertEqual(self.accepted(self.campaign(4))[0]["neutral"], 4)
        # The other router's word, for new mail.
        self.say(2, "template", "trust", template)
        self.await_template(1, template, "trusted")
        self.assertEqual(self.accepted(self.campaign(4))[0]["transactional"],
                         4)

    def meet_apart(self, text):
        """Two texts of one template, one at each router in the same moment;
        their ids."""
        with (self.cluster.client(1) as first,
              self.cluster.client(2) as second):
            sent = [client.send(f"u{time.time_ns()}@bigmail.test",
                                "app@acme.test", headers=TRANSACTIONAL,
                                body=body, subject="Your account")
                    for client, body in ((first, text),
                                         (second, text + FOOTER))]
        self.accepted(sent)
        by_id = {event["id"]: event["template"]
                 for event in self.cluster.events("accepted")}
        return sent, [by_id[one.id] for one in sent]

    def test_what_waits_is_found_by_the_ids_it_had(self):
        self.say(1, "queue", "pause", "--stream", "transactional")
        wait_until(lambda: "in force" in self.say(2, "actions"), SPREAD_S,
                   "the pause did not spread")
        pause(1)
        for text in NOTICES:
            sent, ids = self.meet_apart(text)
            pause(1.5)
            shown = {self.say(router, "template", "show", one).split()[1]
                     for router in (1, 2) for one in ids}
            if len(set(ids)) == 2 and len(shown) == 1:
                break  # they became one
        else:
            self.fail("no two ids became one")
        now = shown.pop()
        before = ids[0] if now == ids[1] else ids[1]
        # The word by the one id moves what was taken in by the other.
        self.say(1, "template", "distrust", before)
        self.await_template(2, now, "tripped")
        wanted = {one.id for one in sent}
        wait_until(lambda: wanted <= {event["id"] for event in
                                      self.cluster.events(
                                          "rerouted_by_operator")},
                   20, self.cluster.logs)

    def test_what_is_taught_holds_everywhere(self):
        counts, templates = self.accepted(self.campaign(4))
        self.assertEqual(counts["transactional"], 4)
        template = templates.pop()
        self.say(1, "template", "teach", "bulk", template)
        self.await_template(2, template, "taught")
        self.assertEqual(self.accepted(self.campaign(4))[0]["bulk"], 4)
        self.say(1, "template", "forget", template)
        wait_until(lambda: "taught" not in self.say(2, "template", "show",
                                                    template), SPREAD_S,
                   "it was not forgotten")
        self.assertEqual(self.accepted(self.campaign(4))[0]["transactional"],
                         4)


class Alone(unittest.TestCase):
    """One router."""

    def setUp(self):
        self.yard = self.enterContext(Yard())
        self.desk = Desk(self, self.yard.config)

    def submit(self, to, subject="Your password"):
        sent = self.yard.submit(to, headers=TRANSACTIONAL, body=RESET,
                                subject=subject)
        self.assertEqual(sent.code, 250)
        return sent

    def template(self):
        return self.desk.json("template", "list")["templates"][0]

    def test_outcomes_are_counted(self):
        # A recipient called "you" would have other words masked.
        self.yard.outcome(self.submit("maria@bigmail.test"), "delivered")
        wait_until(lambda: self.template()["delivered"] == 1, SPREAD_S,
                   "not counted")
        self.yard.outcome(self.submit("unknown@bigmail.test"), "bounced")
        wait_until(lambda: self.template()["bounced"] == 1, SPREAD_S,
                   "not counted")
        status = self.desk.json("status")["templates"]
        self.assertEqual(status["messages"], 2)

    def tripped(self):
        wait_until(lambda: self.yard.events("template_tripped"), SPREAD_S,
                   "no alert")
        return self.yard.events("template_tripped")

    def test_complaints_make_bulk_of_it_and_alert(self):
        sent = [self.submit(f"u{n}@bigmail.test") for n in range(3)]
        template = self.template()["id"]
        for _ in range(3):
            self.desk("template", "complain", template)
        (alert,) = self.tripped()
        self.assertEqual((alert["why"], alert["template"]),
                         ("complaints", template))
        self.assertTrue(self.template()["blamed"])
        self.assertEqual(len(sent), 3)
        late = self.submit("late@bigmail.test")
        wait_until(lambda: self.yard.events("accepted", id=late.id), SPREAD_S,
                   "not logged")
        (event,) = self.yard.events("accepted", id=late.id)
        self.assertEqual(event["stream"], "bulk")
        self.assertIn("template-complaints", event["reasons"])

    def test_a_burst_alerts_with_three_messages(self):
        self.yard.write_config([("log = {", "classifier = { trip = { "
                                 "recipients = 50; }; };\nlog = {")])
        self.desk("reload")
        body = RESET.replace("reset/7Qk293hdLw0pXx81", "reset")
        text = ("From: app@acme.test\r\nTo: u@bigmail.test\r\nSubject: Your "
                "password\r\nX-Sendyard-Stream: transactional\r\n\r\n" + body)
        with self.yard.client() as client:
            ids = {client.send_bytes(f"u{n}@bigmail.test", "app@acme.test",
                                     text.encode()).id for n in range(70)}
        (alert,) = self.tripped()
        self.assertEqual(alert["why"], "burst")
        self.assertEqual(len(alert["messages"]), 3)
        self.assertLess(set(alert["messages"]), ids)

    def explain(self, recipient):
        """The first word behind each name that `explain` says."""
        done = self.yard.command("explain", "--account", "acme-app", "--from",
                                 "app@acme.test", self.letter, "--to",
                                 recipient)
        self.assertEqual(done.returncode, 0, done.stderr)
        return dict(line.split(None, 1) for line in done.stdout.splitlines()
                    if not line.startswith(" "))

    def same_as_told(self, client, number):
        """What is told of a message before it is sent is what becomes of it;
        its reasons."""
        recipient = f"u{number}@bigmail.test"
        told = self.explain(recipient)
        self.assertEqual(told["because"], self.explain(recipient)["because"])
        sent = client.send_bytes(recipient, "app@acme.test",
                                 self.letter.read_bytes())
        wait_until(lambda: self.yard.events("accepted", id=sent.id), SPREAD_S,
                   "not logged")
        (event,) = self.yard.events("accepted", id=sent.id)
        self.assertEqual(told["because"].strip(), event["reasons"])
        self.assertEqual(told["stream"].split()[0], event["stream"])
        self.assertEqual(told["template"].split()[0], event["template"])
        return event["reasons"], event["template"]

    def test_explain_knows_how_the_template_stands(self):
        self.letter = self.yard.folder / "letter.eml"
        self.letter.write_text(
            "From: app@acme.test\r\nTo: you@bigmail.test\r\nSubject: Your "
            "password\r\nX-Sendyard-Stream: transactional\r\n\r\n" + RESET,
            newline="")
        with self.yard.client() as client:
            for number in range(3):
                reasons, template = self.same_as_told(client, number)
            self.assertIn("probation=2", reasons)
            # Who had it costs nothing again.
            self.assertIn("probation=3", self.same_as_told(client, 1)[0])
            for number in range(100, 160):
                client.send_bytes(f"u{number}@bigmail.test", "app@acme.test",
                                  self.letter.read_bytes())
            self.assertIn("probation-spent", self.same_as_told(client, 4)[0])
            self.desk("template", "distrust", template)
            self.assertIn("template-tripped", self.same_as_told(client, 5)[0])
            self.desk("template", "trust", template)
            self.assertNotIn("template", self.same_as_told(client, 6)[0])
        self.assertIn("from router", self.explain("a@bigmail.test")["template"])
        self.yard.kill_all()
        told = self.explain("a@bigmail.test")
        self.assertIn("from the files", told["template"])
        self.assertIn(template, told["template"])
        self.assertIn("transactional", told["stream"])

    def test_what_was_said_outlives_the_router(self):
        self.submit("you@bigmail.test")
        template = self.template()["id"]
        self.desk("template", "trust", template)
        pause(2.5)  # it is on disk after a second
        self.yard.kill("router")
        pause(1)
        wait_until(self.yard.is_ready, READY_S, "not back")
        self.assertEqual(self.template()["state"], "trusted")
        self.assertTrue(self.template()["by_operator"])

    def test_a_kill_in_a_campaign_buys_nothing(self):
        protected = 0
        for life in range(3):
            sent = [self.submit(f"u{life}-{n}@bigmail.test")
                    for n in range(20 if life < 2 else 80)]
            self.yard.kill("router")
            pause(1)
            wait_until(self.yard.is_ready, READY_S, "not back")
            ids = {one.id for one in sent}
            protected += sum(event["stream"] == "transactional"
                             for event in self.yard.events("accepted")
                             if event["id"] in ids)
        print(f"    {protected} protected, of 120 in three lives", flush=True)
        self.assertLessEqual(protected, N)
        self.assertGreaterEqual(protected, N - 3)  # a killed log lacks a line

    def test_wrong_use_is_told(self):
        for words in (("template",), ("template", "show"),
                      ("template", "teach", "x"), ("template", "trust")):
            with self.subTest(words=words):
                self.desk(*words, code=USAGE)
        self.desk("template", "show", "0000000000001", code=DATA)
        self.desk("template", "trust", "0000000000001", code=DATA)
        self.submit("you@bigmail.test")
        self.desk("template", "teach", "nonsense", self.template()["id"],
                  code=DATA)

    def test_a_reload_changes_the_budget(self):
        self.submit("you@bigmail.test")
        self.assertEqual(self.template()["budget"], N)
        self.yard.write_config([("log = {", "classifier = { probation = { "
                                 "recipients = 5; }; };\nlog = {")])
        self.desk("reload")
        self.assertEqual(self.template()["budget"], 5)


if __name__ == "__main__":
    unittest.main()
