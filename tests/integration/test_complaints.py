"""Complaints: a campaign arrives, some of its recipients call it spam, the
reports of their providers come back, and its template trips."""

import itertools
import json
import shutil
import smtplib
import tempfile
import unittest
from pathlib import Path

from cluster import Cluster
from support import settings
from support.letters import RESET
from support.wait import wait_until
from test_templates import STREAMS
from yard import Yard, pause, run

OK, DATA, TEMPFAIL = 0, 65, 75
SPREAD_S = 15
RELAY_S = 20  # Redis is looked for every few seconds
TRANSACTIONAL = {"X-Sendyard-Stream": "transactional"}
REPORT = """From: Feedback <fbl@bigmail.test>
To: fbl@acme.test
Subject: FW: {subject}
Message-ID: <{number}@bigmail.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_b"

--=_b
Content-Type: text/plain

A recipient of yours complained.

--=_b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Bigmail-Feedback/1.0
Version: 1
{recipient}
--=_b
Content-Type: {form}

{message}
--=_b--
"""


NUMBERS = itertools.count()


def report(message, kind="abuse", recipient="Reported-Domain: x",
           form="message/rfc822"):
    return REPORT.format(
        number=next(NUMBERS), kind=kind, recipient=recipient,
        form=form, message=message, subject="Your password")


class Complaints(unittest.TestCase):
    def setUp(self):
        self.keys = Path(tempfile.mkdtemp(prefix="complaints-"))
        self.addCleanup(shutil.rmtree, self.keys)
        self.key = self.keys / "feedback.key"
        self.key.write_text("0123456789abcdef0123456789abcdef\n")
        self.yard = self.enterContext(Yard([(
            "log = {", "classifier = { feedback = { key_file = "
            f'"{self.key}"; }}; }};\nlog = {{'),
            ('tls = "starttls"; },', 'tls = "starttls";\n'
             '      complaints = ( "fbl@acme.test" ); },')]))

    def campaign(self, count):
        """What arrived of so many messages of one template, as it arrived."""
        with self.yard.client() as client:
            sent = [client.send(f"u{n}@bigmail.test", "app@acme.test",
                                headers=TRANSACTIONAL, body=RESET,
                                subject="Your password")
                    for n in range(count)]
        for one in sent:
            self.yard.outcome(one, "delivered")
        return sent, [self.yard.internet.message(self.yard.arrival(one))
                      .as_string() for one in sent]

    def feedback(self, report, code=OK, of="-"):
        answer = run("sendyard", "feedback", "--config", self.yard.config, of,
                     text=report)
        self.assertEqual(answer.returncode, code, answer)
        return answer

    def template(self, template):
        return self.yard.command("template", "show", template).stdout

    def events(self, count, **wanted):
        wait_until(lambda: len(self.yard.events("complaint", **wanted))
                   == count, SPREAD_S,
                   lambda: f"{self.yard.events('complaint')}")
        return self.yard.events("complaint", **wanted)

    def test_a_template_of_which_recipients_complain_trips(self):
        sent, arrived = self.campaign(20)
        template = self.yard.events("accepted", id=sent[0].id)[0]["template"]
        self.assertNotIn("tripped", self.template(template))
        said = [self.feedback(report(
            arrived[n], recipient=f"Original-Rcpt-To: <u{n}@bigmail.test>"))
            for n in range(3)]
        self.assertIn(f"abuse about {sent[0].id} of acme-app, template "
                      f"{template}\n", said[0].stdout)
        self.assertRegex(self.template(template), r"complained +3\n")
        self.assertIn("tripped", self.template(template))
        for n, event in enumerate(self.events(3, counted=True)):
            self.assertEqual(
                (event["id"], event["account"], event["tenant"],
                 event["template"], event["type"], event["recipient"],
                 event["generator"]),
                (sent[n].id, "acme-app", "acme", template, "abuse",
                 f"u{n}@bigmail.test", "Bigmail-Feedback/1.0"))
        self.assertIn("20 messages, 0 disagreements, 3 complaints\n",
                      self.yard.command("classify", "report").stdout)
        self.assertIn('sendyard_complaints_total{account="acme-app",'
                      'type="abuse"} 3\n', self.yard.command("metrics").stdout)
        # What comes after is not protected.
        more = self.yard.submit("late@bigmail.test", headers=TRANSACTIONAL,
                                body=RESET, subject="Your password")
        self.yard.outcome(more, "delivered")
        event = self.yard.events("accepted", id=more.id)[0]
        self.assertEqual((event["stream"], event["template"]),
                         ("bulk", template))

    def test_what_counts_and_what_does_not(self):
        sent, arrived = self.campaign(3)
        template = self.yard.events("accepted", id=sent[0].id)[0]["template"]
        first = report(arrived[0])
        self.assertNotIn("not counted", self.feedback(first).stdout)
        self.assertIn("not counted", self.feedback(first).stdout)
        # Another name for the one recipient makes no second complaint.
        again = report(arrived[0], recipient="Original-Rcpt-To: x@y.test")
        self.assertIn("not counted", self.feedback(again).stdout)
        rescued = report(arrived[1], kind="not-spam")
        self.assertIn("not counted", self.feedback(rescued).stdout)
        # The header alone is enough, in a file, and with bare line feeds.
        path = self.keys / "report.eml"
        path.write_text(report(arrived[2].split("\n\n")[0],
                                    form="text/rfc822-headers"))
        self.assertNotIn("not counted", self.feedback("", of=path).stdout)
        self.assertRegex(self.template(template), r"complained +2\n")
        self.events(2, counted=True)
        self.events(3, counted=False)

    def test_nobody_else_makes_complaints_up(self):
        sent, arrived = self.campaign(1)
        template = self.yard.events("accepted", id=sent[0].id)[0]["template"]
        path = self.keys / "report.eml"
        path.write_text(report(
            arrived[0].replace(sent[0].id, sent[0].id[:-1] + "x")))
        self.assertIn("none of ours", self.feedback("", DATA, path).stderr)
        # By a pipe it is told, and no error that an MTA would bounce.
        self.assertIn("none of ours",
                      self.feedback(path.read_text(), OK).stderr)
        self.assertIn("no report", self.feedback("Subject: hello\n\nx\n").stderr)
        self.assertRegex(self.template(template), r"complained +0\n")
        # Under another key nothing that was sent before is known.
        self.key.write_text("another key of enough bytes\n")
        self.assertEqual(self.yard.command("reload").returncode, 0)
        self.assertIn("none of ours",
                      self.feedback(report(arrived[0])).stderr)
        self.assertEqual(self.yard.events("complaint"), [])

    def test_anybody_may_bring_a_report_and_nothing_else(self):
        sent, arrived = self.campaign(1)
        template = self.yard.events("accepted", id=sent[0].id)[0]["template"]
        said = report(arrived[0]).replace("\n", "\r\n").encode()
        with smtplib.SMTP(self.yard.host, settings.SUBMISSION) as smtp:
            smtp.sendmail("staff@bigmail.test", ["fbl@acme.test"], said)
            for to, text, code in (
                    ("fbl@acme.test", b"Subject: hello\r\n\r\nx\r\n", 550),
                    ("fbl@acme.test", said.replace(b"Sendyard", b"Other"), 550),
                    ("you@bigmail.test", said, 530)):
                with self.assertRaises(
                        (smtplib.SMTPDataError,
                         smtplib.SMTPRecipientsRefused)) as refused:
                    smtp.sendmail("staff@bigmail.test", [to], text)
                self.assertIn(str(code), str(refused.exception))
        self.events(1, counted=True)
        self.assertRegex(self.template(template), r"complained +1\n")

    def test_a_client_cannot_write_our_field(self):
        _, arrived = self.campaign(1)
        field = next(line for line in arrived[0].splitlines()
                     if line.startswith("X-Sendyard-Origin:"))
        name, value = field.split(": ", 1)
        sent = self.yard.submit("v@bigmail.test", headers={name: value})
        message = self.yard.internet.message(self.yard.arrival(sent))
        self.assertEqual(len(message.get_all(name)), 1)
        self.assertTrue(message[name].startswith(sent.id))

    def test_a_pipe_brings_one_message(self):
        _, arrived = self.campaign(1)
        # As an MTA pipes it, with a paragraph that begins a mailbox's message.
        said = report(arrived[0]).replace(
            "A recipient", "Dear postmaster,\n\nFrom time to time\na recipient")
        answer = self.feedback(f"From fbl@bigmail.test Thu Jan  1 1970\n{said}")
        self.assertIn("abuse about", answer.stdout)
        self.assertEqual(answer.stderr, "")
        # What a stranger sends names no files of ours.
        path = self.keys / "report.eml"
        path.write_text(report(arrived[0]))
        answer = self.feedback(json.dumps({"file": str(path)}))
        self.assertIn("no report", answer.stderr)
        self.events(1)

    def test_an_mta_tries_again_while_the_router_is_away(self):
        said = report("Subject: x\n\nx\n")
        answer = run("sendyard", "feedback", "--config", "/nowhere", "-",
                     text=said)
        self.assertEqual(answer.returncode, TEMPFAIL, answer)
        self.yard.stop()
        self.feedback(said, TEMPFAIL)

    def test_a_bad_key_is_told(self):
        self.key.write_text("short\n")
        answer = self.yard.command("reload")
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("key_file", answer.stdout + answer.stderr)


class TwoRouters(unittest.TestCase):
    """On hosts of their own, with one Redis."""

    def setUp(self):
        self.cluster = self.enterContext(Cluster(
            STREAMS, "verify", keep_messages=True))
        pause(1.5)  # until they have found Redis

    def send(self, router, count):
        with self.cluster.client(router) as client:
            sent = [client.send(f"u{n}@bigmail.test", "app@acme.test",
                                headers=TRANSACTIONAL, body=RESET,
                                subject="Your password") for n in range(count)]
        self.cluster.wait_delivered(sent)
        return sent

    def feedback(self, router, message):
        path = self.cluster.folder / "report.eml"
        path.write_text(report(message))
        return self.cluster.command(router, "feedback", path)

    def state(self, router, template):
        return self.cluster.command(router, "template", "show", template)

    def arrived(self, count):
        messages = [self.cluster.internet.message(line).as_string()
                    for line in self.cluster.internet.messages()]
        self.assertEqual(len(messages), count)
        return messages

    def complained(self, router, template, count):
        wait_until(lambda: f" {count}\n" in next(
            line + "\n" for line in self.state(router, template).splitlines()
            if line.lstrip().startswith("complained")), RELAY_S,
            lambda: self.state(router, template))

    def test_the_router_that_took_the_message_counts(self):
        sent = self.send(1, 3)
        template = self.cluster.events("accepted", id=sent[0].id)[0]["template"]
        arrived = self.arrived(3)
        self.assertIn("handed on to router-1", self.feedback(2, arrived[0]))
        self.complained(1, template, 1)
        # Nor does one count elsewhere that has the template: against the few
        # messages of it there each would weigh too much.
        self.send(2, 1)
        self.assertIn(template, self.state(2, template))
        self.assertIn("handed on to router-1", self.feedback(2, arrived[1]))
        self.complained(1, template, 2)
        self.complained(2, template, 0)
        # Who complains to two routers complains once.
        for router in 1, 2:
            self.feedback(router, arrived[0])
        self.assertNotIn("handed on", self.feedback(1, arrived[2]))
        self.complained(1, template, 3)
        self.assertIn("tripped", self.state(1, template))

    def test_none_is_lost_while_redis_is_away(self):
        sent = self.send(1, 1)
        template = self.cluster.events("accepted", id=sent[0].id)[0]["template"]
        arrived = self.arrived(1)
        self.cluster.stop("redis")
        self.assertIn("handed on to router-1", self.feedback(2, arrived[0]))
        pause(3)
        self.complained(1, template, 0)
        self.cluster.start_redis()
        self.complained(1, template, 1)


if __name__ == "__main__":
    unittest.main()
