"""Odd DNS: who gets mail, who bounces, who is tried again."""

import unittest

from support.wait import wait_until
from yard import Yard

# The platform listens on port 25, too: mail to itself would loop.
OWN_PORT_25 = ('listeners = (',
               'listeners = (\n    { name = "mx"; address = "127.0.0.1:25"; },')
QUICK_RESOLVER = ('resolver = { address = "127.20.0.53:5353"; }',
                  'resolver = { address = "127.20.0.53:5353"; '
                  'timeout = "500ms"; tries = 2; }')
# Where mail may not go; the yard's receivers are on loopback.
FORBIDDEN = ('limits = (', """limits = (
    { domain = "plain.test"; prohibited = "127.0.0.0/8"; },
    { domain = "old.test"; mx_deny = "*.old.test"; },
    { domain = "bigmail.test"; mx_deny = "mx1.*"; },""")


class Names(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.yard = cls.enterClassContext(Yard([OWN_PORT_25, QUICK_RESOLVER,
                                               FORBIDDEN]))

    def check(self, kind, *domains, status=""):
        letters = [self.yard.submit(f"you@{domain}") for domain in domains]
        for sent in letters:
            with self.subTest(domain=sent.to[0]):
                event = self.yard.outcome(sent, kind, seconds=30)
                self.assertTrue(event.get("status", "").startswith(status), event)

    def test_mail_finds_its_way_through_odd_names(self):
        self.check("delivered", "implicit.odd.test", "mx-to-cname.odd.test",
                   "mx-chain.odd.test", "cnamed.odd.test")

    def test_dead_hosts_are_passed_over(self):
        self.check("delivered", "first-dead.odd.test",
                   "two-addresses.odd.test", "many.odd.test")

    def test_a_null_mx_bounces_at_once(self):
        self.check("bounced", "null.odd.test", status="5.1.10")

    def test_names_that_take_no_mail_bounce(self):
        self.check("bounced", "nxdomain.odd.test", status="5.1.2")
        self.check("bounced", "no-mail.odd.test", status="5.")

    def test_mx_hosts_without_an_address_bounce(self):
        self.check("bounced", "no-address.odd.test", "missing-host.odd.test",
                   status="5.")

    def test_what_may_pass_is_tried_again(self):
        self.check("deferred", "all-dead.odd.test", "servfail.odd.test",
                   "timeout.odd.test", status="4.")

    def test_a_loop_of_names_never_arrives(self):
        sent = self.yard.submit("you@cname-loop.odd.test")
        self.yard.outcome(sent, "deferred")

    def test_mail_to_ourselves_is_refused_as_a_loop(self):
        self.check("bounced", "sendyard.test", status="5.4.6")

    def test_mail_to_prohibited_addresses_bounces_at_once(self):
        self.check("bounced", "plain.test", status="5.4.4")

    def test_mail_to_denied_hosts_bounces_at_once(self):
        self.check("bounced", "old.test", status="5.7.1")

    def test_the_hosts_that_are_not_denied_get_the_mail(self):
        sent = self.yard.submit("you@bigmail.test")
        event = self.yard.outcome(sent, "delivered")
        self.assertEqual(event["host"], "mx2.bigmail.test")


class BothFamilies(unittest.TestCase):
    """One pool with an IPv4 and an IPv6 source."""

    SIX = [('pools = (', 'pools = (\n    { name = "both"; '
            'sources = ( "n1", "n6" ); },'),
           ('{ name = "neutral"; pool = "neutral"; }',
            '{ name = "neutral"; pool = "both"; }'),
           ('sources = (\n    { name = "t1"', 'sources = (\n    { name = "n6"; '
            'address = "::1"; },\n    { name = "t1"')]

    STICKY = [('pool = "both"; }', 'pool = "both"; sticky = "recipient"; }')]

    def test_mail_leaves_by_the_family_that_the_receiver_has(self):
        self.check(self.SIX)

    def test_nobody_insists_on_a_family_that_the_receiver_lacks(self):
        self.check(self.SIX + self.STICKY)

    def check(self, changes):
        with Yard(changes) as yard:
            for number in range(12):
                sent = yard.submit(f"p{number}@plain.test")
                event = yard.outcome(sent, "delivered")
                self.assertEqual((event["source"], event["attempt"]),
                                 ("n1", 1))
            for number in range(3):
                sent = yard.submit(f"p{number}@v6only.odd.test")
                event = yard.outcome(sent, "deferred")  # nobody listens there
                self.assertEqual(event["source"], "n6")


class OnlyWhatIsPublic(unittest.TestCase):
    def test_loopback_is_permitted_only_by_the_config(self):
        with Yard([("prohibited = ( );", "")]) as yard:
            for to in ("you@plain.test", "you@[127.0.0.1]"):
                event = yard.outcome(yard.submit(to), "bounced")
                self.assertEqual(event["status"], "5.4.4")
            yard.write_config([('idle_timeout = "2s";',
                                'idle_timeout = "2s"; prohibited = ( );')])
            self.assertEqual(yard.command("reload").returncode, 0)
            wait_until(lambda: yard.log.count("event=reloaded") >= 3, 10,
                       lambda: yard.log)  # router and both workers
            sent = yard.submit("you@plain.test")
            yard.outcome(sent, "delivered")


if __name__ == "__main__":
    unittest.main()
