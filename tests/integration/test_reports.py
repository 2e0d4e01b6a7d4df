"""Delivery reports and retries, from submission to the sender's own mailbox."""

import unittest
from email.utils import parsedate_to_datetime

from support import reports
from support.wait import wait_until
from yard import Yard, pause

NEUTRAL = ('{ name = "neutral"; class = "neutral"; weight = 4; '
           'route = "neutral"; },')
LATE = ('{ name = "neutral"; class = "neutral"; weight = 4; '
        'route = "neutral"; warn_after = "2s"; },')
TRANSACTIONAL = {"X-Sendyard-Stream": "transactional"}
HOST = "mail.sendyard.test"


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.yard = cls.enterClassContext(Yard([(NEUTRAL, LATE)]))

    def found(self, sent):
        """All reports about a message that arrived at its sender's."""
        internet = self.yard.internet
        lines = internet.messages(**{"from": "", "provider": "odd"})
        found = []
        for line in lines:
            raw = (internet.folder / "eml" / f"{line['id']}.eml").read_bytes()
            if sent.token.encode() in raw:
                self.assertEqual(line["rcpts"], [sent.sender])
                found.append(reports.read(raw))
        return found

    def report(self, sent):
        return wait_until(lambda: self.found(sent), 20, lambda: (
            f"no report about {sent.token}: {self.yard.history(sent)}"))[0]

    def test_a_failure_is_told_with_all_that_was_asked_for(self):
        sent = self.yard.submit(
            "unknown@bigmail.test", mail_options=("RET=FULL", "ENVID=QQ+2B314"),
            rcpt_options=("NOTIFY=FAILURE,DELAY",
                          "ORCPT=rfc822;Old+2Bname@bigmail.test"))
        event = self.yard.outcome(sent, "bounced")
        report = self.report(sent)
        self.assertEqual(report.message["To"], f"{sent.sender}")
        self.assertEqual(report.about["Original-Envelope-Id"], "QQ+314")
        self.assertEqual(report.about["Reporting-MTA"], f"dns; {HOST}")
        fields, = report.recipients
        self.assertEqual(fields["Original-Recipient"],
                         "rfc822; Old+name@bigmail.test")
        self.assertEqual(fields["Final-Recipient"],
                         "rfc822; unknown@bigmail.test")
        self.assertEqual(fields["Action"], "failed")
        self.assertEqual(fields["Status"], "5.1.1")
        self.assertEqual(fields["Remote-MTA"], f"dns; {event['host']}")
        self.assertTrue(fields["Diagnostic-Code"].startswith("smtp; 550 "))
        self.assertIn("Last-Attempt-Date", fields)
        self.assertEqual(report.returned.get_content_type(), "message/rfc822")
        self.assertIn("Hello.", report.returned.as_string())
        self.assertIn("unknown@bigmail.test", report.text)

    def test_success_is_told_where_the_receiver_tells_nothing(self):
        sent = self.yard.submit("you@bigmail.test", mail_options=("RET=FULL",),
                                rcpt_options=("NOTIFY=SUCCESS",))
        self.yard.outcome(sent, "delivered")
        report = self.report(sent)
        fields, = report.recipients
        self.assertEqual(fields["Action"], "relayed")
        self.assertEqual(fields["Status"][0], "2")
        self.assertEqual(fields["Final-Recipient"], "rfc822; you@bigmail.test")
        self.assertTrue(fields["Remote-MTA"].endswith(".bigmail.test"))
        self.assertEqual(report.returned.get_content_type(),
                         "text/rfc822-headers")
        self.assertNotIn("Hello.", report.returned.as_string())

    def test_success_is_left_to_a_receiver_that_knows_dsn(self):
        sent = self.yard.submit("you@outpost.test",
                                rcpt_options=("NOTIFY=SUCCESS",))
        plain = self.yard.submit("you@bigmail.test")
        never = self.yard.submit("unknown@bigmail.test",
                                 rcpt_options=("NOTIFY=NEVER",))
        self.yard.outcome(sent, "delivered")
        self.yard.outcome(plain, "delivered")
        self.yard.outcome(never, "bounced")
        pause(1)
        for each in (sent, plain, never):
            self.assertEqual(self.found(each), [])

    def test_a_delay_is_told_once_to_who_asked(self):
        sent = self.yard.submit("later@bigmail.test",
                                rcpt_options=("NOTIFY=DELAY",))
        plain = self.yard.submit("later@bigmail.test")
        report = self.report(sent)
        fields, = report.recipients
        self.assertEqual(fields["Action"], "delayed")
        self.assertEqual(fields["Status"], "4.3.0")
        self.assertTrue(fields["Diagnostic-Code"].startswith(
            "smtp; 451 4.3.0 "))
        arrival = parsedate_to_datetime(report.about["Arrival-Date"])
        until = parsedate_to_datetime(fields["Will-Retry-Until"])
        self.assertEqual((until - arrival).days, 4)
        pause(3)
        self.assertEqual(len(self.found(sent)), 1)
        self.assertEqual(self.found(plain), [])

    def test_a_delay_is_told_of_mail_that_no_attempt_was_made_for(self):
        sent = self.yard.submit("you@servfail.odd.test",
                                rcpt_options=("NOTIFY=DELAY",))
        fields, = self.report(sent).recipients
        self.assertEqual(fields["Action"], "delayed")
        self.assertNotIn("Remote-MTA", fields)

    def test_greylisted_mail_comes_back_when_it_was_asked_to(self):
        sent = self.yard.submit("you@greywait.test", headers=TRANSACTIONAL)
        event = self.yard.outcome(sent, "deferred")
        self.assertEqual(event["asked_ms"], 4000)
        self.assertGreaterEqual(event["retry_ms"], 4000)
        last = self.yard.outcome(sent, "delivered")
        self.assertEqual(last["attempt"], 2)
        self.assertEqual(last["source"], event["source"])
        refused = self.yard.internet.events("refused", provider="greywait")
        self.assertEqual(len([line for line in refused
                              if sent.to[0] in str(line)]), 1)

    def test_explain_says_whose_waits_count(self):
        letter = self.yard.folder / "letter.eml"
        letter.write_text("From: app@acme.test\nTo: you@bigmail.test\n"
                          "Subject: hi\n\nHello.\n")
        out = self.yard.command("explain", "--account", "acme-app", letter,
                                "--to", "you@bigmail.test").stdout
        self.assertRegex(out, r"(?m)^retry +1s +\(platform\)$")
        self.assertRegex(out, r"(?m)^ +retry_same_source +greylisted ")


if __name__ == "__main__":
    unittest.main()
