"""The main line: mail in by submission, sorted, out by the right addresses."""

import unittest

from support.wait import wait_until
from yard import Yard, pause

NEWSLETTER = {"List-Unsubscribe": "<https://acme.test/out>",
              "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
              "List-Id": "<news.acme.test>", "Precedence": "bulk"}
TRANSACTIONAL = {"X-Sendyard-Stream": "transactional"}
EIGHT_BIT = "Grüße aus Köln.\r\n"


class MainLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.yard = cls.enterClassContext(Yard())

    def leaves_by(self, sent, sources):
        arrival = self.yard.arrival(sent)
        self.assertIn(arrival["source"],
                      [self.yard.source(name) for name in sources])
        return arrival

    def test_transactional_mail_leaves_by_its_own_addresses(self):
        sent = self.yard.submit("you@bigmail.test", headers=TRANSACTIONAL)
        arrival = self.leaves_by(sent, ("t1", "t2"))
        event = self.yard.outcome(sent, "delivered")
        self.assertEqual(event["stream"], "transactional")
        self.assertEqual(event["source_ip"], arrival["source"])

    def test_bulk_mail_leaves_by_its_own_addresses(self):
        sent = self.yard.submit("you@bigmail.test", account="acme-news",
                                sender="news@news.acme.test",
                                headers=NEWSLETTER)
        self.leaves_by(sent, ("b1", "b2"))
        self.assertEqual(self.yard.outcome(sent, "delivered")["stream"],
                         "bulk")

    def test_undeclared_mail_leaves_by_the_neutral_address(self):
        sent = self.yard.submit("you@bigmail.test")
        self.leaves_by(sent, ("n1",))
        self.assertEqual(self.yard.outcome(sent, "delivered")["stream"],
                         "neutral")

    def test_a_newsletter_declared_transactional_is_moved_to_bulk(self):
        sent = self.yard.submit("you@bigmail.test",
                                headers={**NEWSLETTER, **TRANSACTIONAL})
        self.leaves_by(sent, ("b1", "b2"))
        accepted = self.yard.events("accepted", id=sent.id)[0]
        self.assertEqual(accepted["stream"], "bulk")
        self.assertIn("transactional", str(accepted["reasons"]))

    def test_two_tenants_both_deliver(self):
        sent = self.yard.submit("you@outpost.test", account="globex-app",
                                sender="app@globex.test")
        event = self.yard.outcome(sent, "delivered")
        self.assertEqual((event["account"], event["tenant"]),
                         ("globex-app", "globex"))

    def test_recipients_at_two_sites_are_two_jobs(self):
        sent = self.yard.submit(["a@bigmail.test", "b@outpost.test",
                                 "c@bigmail.test"])
        for recipient in sent.to:
            self.yard.outcome(sent, "delivered", recipient)
        copies = self.yard.arrived(sent)
        self.assertEqual(
            sorted((line["provider"], sorted(line["rcpts"]))
                   for line in copies),
            [("bigmail", ["a@bigmail.test", "c@bigmail.test"]),
             ("outpost", ["b@outpost.test"])])

    def test_domains_of_one_provider_are_one_site(self):
        one = self.yard.submit("a@bigmail.test")
        other = self.yard.submit("a@workspace-customer.test")
        self.assertEqual(self.yard.outcome(one, "delivered")["site"],
                         self.yard.outcome(other, "delivered")["site"])

    def test_what_arrives_is_what_was_sent(self):
        sent = self.yard.submit("you@bigmail.test", body=".\r\n..\r\n" + EIGHT_BIT)
        message = self.yard.internet.message(self.yard.arrival(sent))
        body = message.get_payload(decode=True).decode()
        self.assertEqual(body, ".\r\n..\r\n" + EIGHT_BIT)
        for name in ("Date", "Message-ID", "Received"):
            self.assertIsNotNone(message[name], name)

    def test_bcc_and_the_declaration_do_not_leave(self):
        sent = self.yard.submit("you@bigmail.test", headers={
            "Bcc": "secret@bigmail.test", **TRANSACTIONAL})
        message = self.yard.internet.message(self.yard.arrival(sent))
        self.assertIsNone(message["Bcc"])
        self.assertNotIn("secret", message.as_string())

    def test_a_foreign_sender_is_refused(self):
        for sender in ("app@globex.test", "ceo@bigmail.test"):
            sent = self.yard.submit("you@bigmail.test", sender=sender)
            self.assertIn(sent.code, (550, 553), sent.reply)

    def test_an_unknown_user_bounces_with_a_delivery_report(self):
        sent = self.yard.submit(["unknown@bigmail.test", "known@bigmail.test"])
        self.yard.outcome(sent, "delivered", "known@bigmail.test")
        event = self.yard.outcome(sent, "bounced", "unknown@bigmail.test")
        self.assertEqual(event["code"], 550)
        self.assertEqual(event["status"], "5.1.1")
        report = self.report_about(sent)
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertEqual(report.get_param("report-type"), "delivery-status")
        status, original = report.get_payload()[1:3]
        recipients = status.get_payload()[1:]
        self.assertEqual(len(recipients), 1)
        self.assertEqual(recipients[0]["Final-Recipient"],
                         "rfc822; unknown@bigmail.test")
        self.assertEqual(recipients[0]["Action"], "failed")
        self.assertEqual(recipients[0]["Status"], "5.1.1")
        self.assertIn("550", recipients[0]["Diagnostic-Code"])
        self.assertIn(sent.token, original.as_string())

    def report_about(self, sent):
        """The report that went to the sender's domain, by the null sender."""
        internet = self.yard.internet

        def look():
            for line in internet.messages(**{"from": "", "provider": "odd"}):
                message = internet.message(line)
                if sent.token in message.as_string():
                    self.assertEqual(line["rcpts"], [sent.sender])
                    return message
            return None
        return wait_until(look, 20, lambda: (
            f"no report about {sent.token}: {self.yard.history(sent)}"))

    def test_a_report_that_bounces_makes_no_report(self):
        sent = self.yard.submit("unknown@postbox.test",
                                sender="unknown@acme.test")
        self.yard.outcome(sent, "bounced")

        def bounced_reports():
            return self.yard.events("bounced", sender="",
                                    recipient="unknown@acme.test")
        wait_until(bounced_reports, 20, "the report did not bounce")
        pause(1)
        self.assertEqual(len(bounced_reports()), 1)
        self.assertEqual(self.yard.internet.messages(
            **{"from": "", "rcpts": ["unknown@acme.test"]}), [])

    def test_greylisted_mail_arrives_after_a_retry(self):
        sent = self.yard.submit("you@grey.test")
        self.yard.outcome(sent, "deferred")
        event = self.yard.outcome(sent, "delivered")
        self.assertGreaterEqual(event["attempt"], 2)
        self.assertEqual(len(self.yard.arrived(sent)), 1)

    def test_a_full_mailbox_is_tried_again_and_not_bounced(self):
        sent = self.yard.submit("full@bigmail.test")
        event = self.yard.outcome(sent, "deferred")
        self.assertEqual((event["code"], event["status"]), (452, "4.2.2"))
        self.assertEqual(self.yard.events("bounced", id=sent.id), [])

    def test_mail_too_large_for_the_receiver_bounces(self):
        body = ("x" * 70 + "\r\n") * 2000
        sent = self.yard.submit("you@postbox.test", body=body)
        event = self.yard.outcome(sent, "bounced")
        self.assertEqual(event["status"], "5.3.4")

    def test_many_recipients_are_sent_in_the_receivers_portions(self):
        to = [f"user{n}@postbox.test" for n in range(12)]
        sent = self.yard.submit(to)
        for recipient in to:
            self.yard.outcome(sent, "delivered", recipient)
        got = [each for line in self.yard.arrived(sent)
               for each in line["rcpts"]]
        self.assertEqual(sorted(got), sorted(to))

    def test_limits_of_a_strict_provider_are_kept(self):
        with self.yard.client("acme-news") as client:
            letters = [client.send(f"user{n}@yoohoo.test", "news@acme.test",
                                   headers=NEWSLETTER) for n in range(60)]
        for sent in letters:
            self.yard.outcome(sent, "delivered", seconds=30)
        counts = self.yard.internet.stats()["yoohoo"]
        self.assertEqual(counts["violations"], {})
        self.assertEqual(counts["messages"], 60)
        self.assertLessEqual(
            max(each["max"] for each in counts["sources"].values()), 2)

    def test_z_nobody_saw_a_breach_of_a_limit_or_of_smtp(self):
        """Last by its name: looks back at all that the others sent."""
        stats = self.yard.internet.stats()
        wrong = {name: counts["wire_violations"]
                 for name, counts in stats.items()
                 if counts["wire_violations"]}
        self.assertEqual(wrong, {})
        broken = self.yard.violations()
        broken.pop("postbox", None)  # says its limit only by refusing
        self.assertEqual(broken, {})


if __name__ == "__main__":
    unittest.main()
