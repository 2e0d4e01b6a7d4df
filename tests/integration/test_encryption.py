"""Encryption where it works, and mail that gets through where it does not."""

import unittest

from yard import Yard


class Encryption(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.yard = cls.enterClassContext(Yard())

    def delivered(self, domain):
        """The receiver's line and our event of a message to the domain."""
        sent = self.yard.submit(f"you@{domain}")
        event = self.yard.outcome(sent, "delivered")
        return self.yard.arrival(sent), event

    def test_a_good_certificate_is_used(self):
        line, event = self.delivered("bigmail.test")
        self.assertEqual(line["tls"], "TLSv1.3")
        self.assertIn("TLSv1.3", event["tls"])

    def test_a_self_signed_certificate_is_better_than_none(self):
        line, _ = self.delivered("selfsigned.test")
        self.assertTrue(line.get("tls", "").startswith("TLS"), line)

    def test_a_broken_handshake_falls_back_to_clear(self):
        line, event = self.delivered("badtls.test")
        self.assertFalse(line.get("tls"))
        self.assertFalse(event.get("tls"))
        self.assertEqual(event["attempt"], 1)

    def test_outdated_tls_falls_back_to_clear_or_is_taken(self):
        self.delivered("oldtls.test")

    def test_refused_starttls_goes_on_in_clear(self):
        line, _ = self.delivered("notls.test")
        self.assertFalse(line.get("tls"))


class RequiredEncryption(unittest.TestCase):
    REQUIRED = ('{ domain = "yoohoo.test"; max_smtp_out = 2;',
                '{ domain = "badtls.test"; tls = "required"; },\n'
                '    { domain = "notls.test"; tls = "required"; },\n'
                '    { domain = "selfsigned.test"; tls = "required"; },\n'
                '    { domain = "yoohoo.test"; max_smtp_out = 2;')

    def test_where_it_is_required_nothing_leaves_in_clear(self):
        with Yard([self.REQUIRED]) as yard:
            for domain in ("badtls.test", "notls.test"):
                sent = yard.submit(f"you@{domain}")
                yard.outcome(sent, "deferred")
                self.assertEqual(yard.arrived(sent), [])


if __name__ == "__main__":
    unittest.main()
