"""Who declares a stream: a listener, a recipient's tag; and that `explain` says
of each what live mail gets."""

import unittest

from support.letters import Client
from support.wait import wait_until
from yard import Yard

BULK_PORT = 1588
CHANGES = (
    ('    { name = "submissions";',
     f'    {{ name = "campaigns"; address = "127.0.0.1:{BULK_PORT}"; '
     'stream = "bulk"; },\n    { name = "submissions";'),
    ('name = "acme-app"; tenant = "acme";',
     'name = "acme-app"; tenant = "acme"; recipient_tag = "strip";'),
    ('name = "globex-app"; tenant = "globex";',
     'name = "globex-app"; tenant = "globex"; recipient_tag = "read";'),
)


class Declared(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.yard = cls.enterClassContext(Yard(CHANGES))

    def accepted(self, sent):
        self.assertEqual(sent.code, 250, sent.reply)
        return wait_until(lambda: self.yard.events("accepted", id=sent.id), 10,
                          "no event")[0]

    def explained(self, to, *options):
        """What `explain` says of the letters that these tests send."""
        letter = self.yard.folder / "letter.eml"
        letter.write_text("From: app@acme.test\r\nTo: you@bigmail.test\r\n"
                          "Subject: x\r\n\r\nHello.\r\n", newline="")
        answer = self.yard.command("explain", *options, letter, "--to", to)
        self.assertEqual(answer.returncode, 0, answer)
        return dict(line.split(maxsplit=1)
                    for line in answer.stdout.splitlines()
                    if len(line.split(maxsplit=1)) == 2)

    def same(self, event, said, reason):
        self.assertEqual(event["reasons"].split()[0], reason)
        self.assertEqual(said["because"].split()[0], reason)
        self.assertEqual(said["stream"].split()[0], event["stream"])

    def test_a_listener_declares(self):
        with Client(self.yard.host, BULK_PORT, "acme-app",
                    self.yard.folder / "tls" / "cert.pem") as client:
            sent = client.send("you@bigmail.test", "app@acme.test")
        event = self.accepted(sent)
        self.assertEqual((event["stream"], event["declared"]), ("bulk", "bulk"))
        said = self.explained("you@bigmail.test", "--listener", "campaigns")
        self.same(event, said, "declared-listener=bulk")
        self.assertIn("campaigns", said["listener"])

    def test_a_tag_declares_and_is_stripped(self):
        sent = self.yard.submit("you+mine+bulk@bigmail.test")
        event = self.accepted(sent)
        self.assertEqual(event["recipients"][0]["recipient"],
                         "you+mine@bigmail.test")
        self.yard.outcome(sent, "delivered", "you+mine@bigmail.test")
        said = self.explained("you+mine+bulk@bigmail.test")
        self.same(event, said, "declared-tag=bulk")
        self.assertEqual(said["recipient"], "you+mine@bigmail.test")

    def test_a_tag_is_only_read_where_the_account_says_so(self):
        sent = self.yard.submit("you+bulk@bigmail.test", account="globex-app",
                                sender="app@globex.test")
        event = self.accepted(sent)
        self.assertEqual(event["declared"], "bulk")
        self.yard.outcome(sent, "delivered", "you+bulk@bigmail.test")

    def test_a_tag_is_not_heard_by_default(self):
        sent = self.yard.submit("you+transactional@bigmail.test",
                                account="acme-news",
                                sender="news@news.acme.test")
        event = self.accepted(sent)
        self.assertEqual(event["declared"], "bulk")  # the account's stream
        self.yard.outcome(sent, "delivered", "you+transactional@bigmail.test")

    def test_a_tag_is_verified(self):
        """"Hello." is nothing that a password reset says."""
        event = self.accepted(
            self.yard.submit("you+transactional@bigmail.test"))
        self.assertEqual(event["declared"], "transactional")
        self.assertEqual(event["stream"], "neutral")

    def test_tags_that_differ_are_refused_one_by_one(self):
        sent = self.yard.submit(["a+bulk@bigmail.test", "b@bigmail.test"])
        self.assertEqual((sent.code, sent.reply[:5]), (452, "4.5.3"))


if __name__ == "__main__":
    unittest.main()
