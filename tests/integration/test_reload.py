"""Settings change while it runs; a bad config changes nothing."""

import os
import re
import signal
import smtplib
import socket
import unittest

from support import settings
from support.wait import wait_until
from yard import Yard, pause, run

TEN_ERRORS = (
    ('workers = 2;', 'workers = "two";'),
    ('tls = "implicit"', 'tls = "sometimes"'),
    ('{ name = "globex"; }', '{ name = "globex"; wieght = 3; }'),
    ('name = "acme-news"; tenant = "acme"; stream = "bulk"',
     'name = "acme-news"; tenant = "acne"; stream = "bluk"'),
    ('expires = "1d"', 'expires = "one day"'),
    ('pool = "neutral"', 'pool = "natural"'),
    ('{ name = "n1"; address = "127.10.3.1"', '{ name = "n1"; address = "n1"'),
    ('max_smtp_out = 5', 'max_smtp_out = 0'),
    ('max_msg_rate = "50/s"', 'max_msg_rate = "50 a second"'),
)
ERROR_COUNT = 10

NEW_ACCOUNT = ('accounts = (',
               'accounts = (\n    { name = "late"; tenant = "globex";\n'
               '      password = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$'
               'p3kGgIA21DvXuKs4EhDyhxMcKh5158mtUJN3j8FoqY1";\n'
               '      from_domains = ( "globex.test" ); },')
NEW_LISTENER = ('listeners = (',
                'listeners = (\n    { name = "late"; '
                'address = "127.0.0.1:2587"; tls = "starttls"; },')
NEW_LIMIT = ('limits = (', 'limits = (\n    { domain = "plain.test"; '
                           'max_msg_rate = "1/s"; },')
GONE_ACCOUNT = ('name = "globex-app"', 'name = "globex-other"')


class WithoutModel(unittest.TestCase):
    """It starts, says so, and protects nothing that is only declared."""

    def test_it_starts_without_one(self):
        with Yard() as yard:
            yard.stop()
            model = yard.folder / "odd.syc"
            model.write_bytes(b"SYC1 and nothing else")
            yard.write_config([(
                "streams = (", f'classifier = {{ model = "{model}"; }};\n'
                "streams = (")])
            yard.start()
            self.assertIn("event=no_model", yard.log)
            sent = yard.submit("you@bigmail.test", headers={
                "X-Sendyard-Stream": "transactional"})
            event = yard.outcome(sent, "delivered")
            self.assertEqual(event["stream"], "neutral")
            accepted = yard.events("accepted", id=sent.id)[0]
            self.assertIn("no-model", accepted["reasons"])


class TenErrors(unittest.TestCase):
    def test_check_prints_every_one_with_its_place(self):
        with Yard() as yard:
            yard.write_config(TEN_ERRORS)
            answer = run("sendyard", "check", yard.config)
            self.assertEqual(answer.returncode, 78)
            said = answer.stdout + answer.stderr
            places = re.findall(
                rf"^{re.escape(str(yard.config))}:[1-9]\d*: ", said, re.M)
            self.assertEqual(len(places), ERROR_COUNT, said)
            self.assertRegex(said, "wieght.*weight")

    def test_serve_does_not_start_on_them(self):
        with Yard() as yard:
            yard.stop()
            yard.write_config(TEN_ERRORS)
            answer = run("sendyard", "serve", "--config", yard.config)
            self.assertEqual(answer.returncode, 78, answer.stderr)


class Reload(unittest.TestCase):
    def setUp(self):
        self.yard = self.enterContext(Yard())

    def reload(self):
        os.kill(self.yard.serve_pid, signal.SIGHUP)

    def check_works(self, account="acme-app", sender="app@acme.test"):
        sent = self.yard.submit("you@bigmail.test", account, sender)
        self.yard.outcome(sent, "delivered")

    def test_a_bad_config_changes_nothing(self):
        self.yard.write_config(TEN_ERRORS + (NEW_LISTENER,))
        answer = self.yard.command("reload")
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn(f"{self.yard.config}:", answer.stdout + answer.stderr)
        self.reload()
        wait_until(lambda: "reload_refused" in self.yard.log, 5,
                   lambda: self.yard.log)
        self.check_works()
        with self.assertRaises(OSError):
            smtplib.SMTP(self.yard.host, 2587, timeout=2)

    def test_a_model_that_cannot_be_used_changes_nothing(self):
        model = self.yard.folder / "odd.syc"
        model.write_bytes(b"SYC1 and nothing else")
        self.yard.write_config([NEW_ACCOUNT, (
            "streams = (", f'classifier = {{ model = "{model}"; }};\n'
            "streams = (")])
        answer = self.yard.command("reload")
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("odd.syc", answer.stdout + answer.stderr)
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.yard.client("late")
        self.check_works()

    def test_a_listener_whose_port_is_taken_changes_nothing(self):
        self.yard.write_config([NEW_LISTENER, NEW_ACCOUNT])
        with socket.create_server((self.yard.host, 2587)):
            self.assertNotEqual(self.yard.command("reload").returncode, 0)
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.yard.client("late")
        self.check_works()

    def test_an_account_and_a_listener_come(self):
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.yard.client("late")
        self.yard.write_config([NEW_ACCOUNT, NEW_LISTENER])
        self.reload()
        wait_until(lambda: "event=reloaded" in self.yard.log, 5,
                   lambda: self.yard.log)
        self.check_works("late", "late@globex.test")
        with smtplib.SMTP(self.yard.host, 2587, timeout=5) as session:
            self.assertEqual(session.noop()[0], 250)

    def test_an_account_and_a_listener_go(self):
        self.yard.write_config([NEW_LISTENER])
        self.assertEqual(self.yard.command("reload").returncode, 0)
        smtplib.SMTP(self.yard.host, 2587, timeout=5).close()
        self.yard.write_config([GONE_ACCOUNT])
        answer = self.yard.command("reload")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.yard.client("globex-app")
        with self.assertRaises(OSError):
            smtplib.SMTP(self.yard.host, 2587, timeout=2)
        self.check_works()

    def test_a_limit_changes_for_mail_that_flows(self):
        first = self.send_plain("before")
        self.assertLess(spread_s(first), 2)
        self.yard.write_config([NEW_LIMIT])
        self.assertEqual(self.yard.command("reload").returncode, 0)
        wait_until(lambda: self.yard.log.count("event=reloaded") >= 3, 10,
                   lambda: self.yard.log)  # router and both workers
        # One pool of one source: five messages take four seconds.
        self.assertGreaterEqual(spread_s(self.send_plain("after")), 3.5)

    def send_plain(self, word):
        with self.yard.client() as client:
            letters = [client.send(f"{word}{n}@plain.test", "app@acme.test")
                       for n in range(5)]
        return [self.yard.arrival(sent) for sent in letters]

    def test_reloads_in_mid_delivery_lose_nothing(self):
        with self.yard.client() as client:
            letters = [client.send(f"u{n}@{domain}", "app@acme.test")
                       for n in range(8)
                       for domain in ("slow.test", "grey.test", "silent.test")]
        for number in range(6):
            self.yard.write_config([NEW_LIMIT] if number % 2 else [
                ('ehlo = "n1.sendyard.test"', f'ehlo = "n{number}.other.test"')
            ])
            self.assertEqual(self.yard.command("reload").returncode, 0)
            pause(0.5)
        for sent in letters:
            if "silent" not in sent.to[0]:
                self.yard.outcome(sent, "delivered", seconds=60)
                self.assertEqual(len(self.yard.arrived(sent)), 1)
        self.assertEqual(len(self.yard.events("worker_lost")), 0)

    def test_a_new_certificate_is_shown(self):
        before = self.certificate()
        self.yard.make_certificate()
        self.assertEqual(self.yard.command("reload").returncode, 0)
        self.assertNotEqual(self.certificate(), before)
        self.check_works()

    def certificate(self):
        with smtplib.SMTP(self.yard.host, settings.SUBMISSION,
                          timeout=5) as session:
            session.starttls()
            return session.sock.getpeercert(binary_form=True)


def spread_s(lines):
    times = [line["time"] for line in lines]
    return (max(times) - min(times)) / 1000


if __name__ == "__main__":
    unittest.main()
