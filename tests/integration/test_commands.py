"""The command line: what it says, and what it returns."""

import json
import re
import unittest

from yard import Yard, run

OK, USAGE, DATA, UNAVAILABLE, TEMPORARY, CONFIG = 0, 64, 65, 69, 75, 78
LETTER = ("From: app@acme.test\r\nTo: you@bigmail.test\r\nSubject: Sale\r\n"
          "X-Sendyard-Stream: transactional\r\n"
          "List-Unsubscribe: <https://acme.test/out>\r\n"
          "Precedence: bulk\r\n\r\nBuy!\r\n")


class Running(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.yard = cls.enterClassContext(Yard())

    def ask(self, word, *arguments, code=OK):
        answer = self.yard.command(word, *arguments)
        self.assertEqual(answer.returncode, code, answer)
        return answer.stdout

    def test_status_names_all_that_runs(self):
        text = self.ask("status")
        for word in ("router-1", "worker-1", "worker-2"):
            self.assertIn(word, text)
        status = json.loads(self.ask("status", "--json"))
        self.assertTrue(status["spool"]["accepts"])

    def test_queue_tells_what_waits_and_why(self):
        sent = self.yard.submit("full@outpost.test")
        self.yard.outcome(sent, "deferred")
        text = self.ask("queue")
        self.assertIn("outpost", text)
        self.assertIn("neutral", text)
        json.loads(self.ask("queue", "--json"))

    def test_message_tells_where_a_message_stands(self):
        sent = self.yard.submit("later@grey.test")
        self.yard.outcome(sent, "deferred")
        self.assertIn("later@grey.test", self.ask("message", sent.id))
        self.assertNotEqual(
            self.yard.command("message", "0000000000000").returncode, OK)

    def test_explain_says_what_live_mail_gets(self):
        path = self.yard.folder / "letter.eml"
        path.write_text(LETTER, newline="")
        text = self.ask("explain", "--account", "acme-app", path, "--to",
                        "you@bigmail.test")
        for word in ("bulk", "list-unsubscribe", "bigmail", "mx1.bigmail.test",
                     "max_smtp_out", f"{self.yard.config}:"):
            self.assertIn(word, text)
        with self.yard.client() as client:
            sent = client.send("you@bigmail.test", "app@acme.test", headers={
                "X-Sendyard-Stream": "transactional",
                "List-Unsubscribe": "<https://acme.test/out>",
                "Precedence": "bulk"})
        event = self.yard.outcome(sent, "delivered")
        self.assertEqual(event["stream"], "bulk")
        self.assertIn(event["site"], text)

    def test_metrics_are_what_prometheus_reads(self):
        def judged():
            found = re.findall(
                r'^sendyard_judged_total\{account="acme-app",'
                r'declared="transactional",stream="bulk",kind="bulk"\} (\d+)$',
                self.ask("metrics"), re.M)
            return int(found[0]) if found else 0
        before = judged()
        with self.yard.client() as client:
            sent = client.send("you@bigmail.test", "app@acme.test", headers={
                "X-Sendyard-Stream": "transactional",
                "List-Unsubscribe": "<https://acme.test/out>"})
        self.yard.outcome(sent, "delivered")
        self.assertEqual(judged(), before + 1)
        text = self.ask("metrics")
        for line in text.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) [a-z0-9_]+ .+|'
                             r'[a-z0-9_]+(\{([a-z]+="[^"]*",?)+\})? \d+)$')
        self.assertRegex(text, r'(?m)^sendyard_accepted_total [1-9]')
        self.assertIn('sendyard_reason_total{reason="moved-down"}', text)

    def test_spool_verify_reads_beside_a_router(self):
        spool = self.yard.folder / "spool"
        self.assertEqual(run("sendyard", "spool", "verify",
                             spool).returncode, TEMPORARY)
        answer = run("sendyard", "spool", "verify", "--beside", spool)
        self.assertEqual(answer.returncode, OK, answer)
        self.ask("spool", "verify", "--beside")  # where the config says

    def test_each_command_has_help_and_knows_wrong_use(self):
        answer = run("sendyard", "--help")
        self.assertEqual(answer.returncode, OK)
        self.assertIn("serve", answer.stdout)
        for word in ("status", "queue", "explain", "spool"):
            with self.subTest(command=word):
                helped = run("sendyard", word, "--help")
                self.assertEqual(helped.returncode, OK, helped)
                self.assertIn("usage", helped.stdout + helped.stderr)
        for arguments in ((), ("nonsense",), ("status", "--nonsense"),
                          ("explain",), ("spool", "nonsense")):
            with self.subTest(arguments=arguments):
                self.assertEqual(run("sendyard", *arguments).returncode,
                                 USAGE)

    def test_versions(self):
        for name in ("sendyard", "sendyard-router", "sendyard-worker"):
            answer = run(name, "--version")
            self.assertEqual(answer.returncode, OK)
            self.assertTrue(answer.stdout.startswith(f"{name} "))


class Stopped(unittest.TestCase):
    def test_without_a_router_they_say_so(self):
        with Yard() as yard:
            sent = yard.submit("full@bigmail.test")
            yard.outcome(sent, "deferred")
            self.assertEqual(yard.stop(), OK)
            for arguments in (("status",), ("queue",), ("reload",),
                              ("message", sent.id)):
                with self.subTest(command=arguments):
                    answer = yard.command(*arguments)
                    self.assertEqual(answer.returncode, UNAVAILABLE, answer)
            self.check_spool(yard, sent)

    def check_spool(self, yard, sent):
        spool = yard.folder / "spool"
        answer = run("sendyard", "spool", "verify", spool)
        self.assertEqual(answer.returncode, OK, answer)
        shown = run("sendyard", "spool", "show", spool, sent.id)
        self.assertIn("full@bigmail.test", shown.stdout)
        self.assertEqual(yard.command("spool", "show", sent.id).stdout,
                         shown.stdout)
        folder = yard.folder / "export"
        run("sendyard", "spool", "export", spool, sent.id, folder)
        letter = (folder / f"{sent.id}.eml").read_text()
        self.assertIn(sent.token, letter)

    def test_a_missing_config_is_told(self):
        answer = run("sendyard", "status", "--config", "/nowhere/a.cfg")
        self.assertEqual(answer.returncode, CONFIG)
        self.assertIn("/nowhere/a.cfg", answer.stderr)


if __name__ == "__main__":
    unittest.main()
