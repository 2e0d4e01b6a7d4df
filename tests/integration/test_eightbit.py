"""8-bit mail and internationalised addresses, to receivers that know neither."""

import shutil
import subprocess
import unittest

from support import trees
from support.places import ROOT
from yard import Yard

TREES = 60
TEXT = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
BODY = "\r\nGrüße aus Köln, und mehr als das.\r\n"
SIGNED = "DKIM-Signature: v=1; a=rsa-sha256; d=acme.test; s=a; bh=; b=\r\n"
ALWAYS = ("limits = (", """limits = (
    { domain = "old.test"; convert_8bit = "always"; },
    { domain = "postbox.test"; convert_8bit = "never"; },""")


class EightBit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.yard = cls.enterClassContext(Yard([ALWAYS]))

    def send(self, to, rest, **options):
        rest = rest if isinstance(rest, bytes) else rest.encode()
        with self.yard.client() as client:
            return client.send_rest(to, "app@acme.test", rest, **options)

    def received(self, sent):
        line = self.yard.arrival(sent)
        path = self.yard.internet.folder / "eml" / f"{line['id']}.eml"
        return path.read_bytes()

    def breaches(self, name):
        return self.yard.internet.stats()[name]["wire_violations"]

    def is_delivered_alike(self, sent, rest):
        self.assertTrue(self.yard.outcome(sent, "delivered")["converted"])
        raw = self.received(sent)
        self.assertTrue(raw.isascii())
        self.assertLessEqual(max(map(len, raw.split(b"\r\n"))), 998)
        head = (f"From: {sent.sender}\r\nTo: {sent.to[0]}\r\n"
                f"Subject: {sent.subject}\r\n").encode()
        self.assertEqual(trees.seen(raw), trees.seen(head + rest))

    def refusal(self, sent):
        event = self.yard.outcome(sent, "bounced")
        self.assertEqual(self.yard.arrived(sent), [])
        return event["status"], event["reply"]

    def test_what_readers_see_is_what_was_sent(self):
        for name in ("plain", "old"):
            sent = []
            with self.yard.client() as client:
                for seed in range(TREES):
                    rest = trees.grow(seed)
                    sent.append((client.send_rest(
                        f"you@{name}.test", "app@acme.test", rest,
                        subject="Grüße" if seed % 2 else ""), rest))
            for seed, (each, rest) in enumerate(sent):
                with self.subTest(receiver=name, seed=seed):
                    self.is_delivered_alike(each, rest)
            self.assertEqual(sum(self.breaches(name).values()), 0)

    def test_who_takes_8_bit_mail_gets_it_as_it_is(self):
        sent = self.send("you@postbox.test", TEXT + BODY)
        self.assertNotIn("converted", self.yard.outcome(sent, "delivered"))
        self.assertIn(BODY.encode(), self.received(sent))

    def test_signed_mail_is_converted_only_where_the_config_says_so(self):
        signed = SIGNED + TEXT + BODY
        status, text = self.refusal(self.send("you@plain.test", signed))
        self.assertEqual(status, "5.6.3")
        self.assertIn("signed", text)
        sent = self.send("you@old.test", signed)
        self.yard.outcome(sent, "delivered")
        self.assertTrue(self.received(sent).isascii())

    def test_what_cannot_be_converted_safely_bounces(self):
        inner = "--b\r\n\r\nGrüße\r\n--b\r\n\r\nx\r\n--b--\r\n"
        for kind in ("multipart/signed; boundary=b", "multipart/mixed",
                     "multipart/mixed; boundary=c", "message/partial"):
            sent = self.send("you@plain.test",
                             f"Content-Type: {kind}\r\n\r\n{inner}")
            with self.subTest(kind=kind):
                self.assertEqual(self.refusal(sent)[0], "5.6.3")

    def test_addresses_and_fields_do_without_smtputf8_where_they_can(self):
        rest = ("X-Note: Grüße\r\n" + TEXT + BODY).encode()
        sent = self.send("you@plain.test", rest, subject="Grüße",
                         mail_options=["SMTPUTF8"])
        self.is_delivered_alike(sent, rest)
        status, _ = self.refusal(self.send(
            "jörg@plain.test", TEXT + BODY, mail_options=["SMTPUTF8"]))
        self.assertEqual(status, "5.6.7")
        # The field alone; its receiver takes 8-bit bodies.
        sent = self.send("you@outpost.test", rest, subject="Grüße",
                         mail_options=["SMTPUTF8"])
        self.yard.outcome(sent, "delivered")
        raw = self.received(sent)
        self.assertTrue(raw.split(b"\r\n\r\n")[0].isascii())
        self.assertIn(BODY.encode(), raw)
        self.assertEqual(self.refusal(self.send(
            "you@postbox.test", rest, mail_options=["SMTPUTF8"]))[0], "5.6.7")


# What Postfix checks when it is told to: bytes, and what their labels promise.
STRICT = ("strict_7bit_headers = yes", "strict_8bitmime_body = yes",
          "strict_mime_encoding_domain = yes", "default_transport = discard:",
          "smtpd_discard_ehlo_keywords = 8bitmime, smtputf8, chunking",
          "relayhost =")
POSTFIX = ROOT / "tests" / "bench" / "postfix"
PORT = 2525


@unittest.skipUnless(shutil.which("postfix"), "needs Postfix")
class StrictPostfix(unittest.TestCase):
    """Postfix without 8BITMIME, that refuses whatever is not 7-bit."""

    @classmethod
    def setUpClass(cls):
        cls.yard = cls.enterClassContext(Yard([(
            "limits = (",
            f'limits = (\n    {{ domain = "fast.test"; smtp_port = {PORT}; }},'
        )]))
        folder = cls.yard.folder / "postfix"
        mx = cls.yard.net.address("201.1")  # of fast.test
        cls.postfix("configure", folder, f"{mx}:{PORT}", 1, *STRICT)
        cls.postfix("start", folder)
        cls.addClassCleanup(cls.postfix, "stop", folder)

    @staticmethod
    def postfix(*words):
        subprocess.run([POSTFIX, *map(str, words)], check=True, timeout=30,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def test_it_takes_what_was_converted(self):
        with self.yard.client() as client:
            sent = [client.send_rest("you@fast.test", "app@acme.test",
                                     trees.grow(seed), subject="Grüße")
                    for seed in range(TREES)]
        for each in sent:
            event = self.yard.outcome(each, "delivered")
            self.assertTrue(event["converted"])
            self.assertIn("Ok: queued", event["reply"])


if __name__ == "__main__":
    unittest.main()
