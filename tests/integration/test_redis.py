"""Redis elsewhere: over TLS as a user with few rights, and behind sentinels."""

import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from support.redis import PASSWORD, PORT, USER, Servers
from support.wait import wait_until
from yard import Yard


METER = ('{ domain = "yoohoo.test";',
         '{ domain = "meter.test"; max_smtp_out = 2; max_msg_rate = "10/s"; },\n'
         '    { domain = "yoohoo.test";')


def state(settings):
    return ("workers = 2;", f"workers = 2;\nstate = {{ {settings} }};")


class Elsewhere(unittest.TestCase):
    """A yard that is started once Redis is there."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        test = self

        class Late(Yard):
            def start(self):
                self._changes = [METER, test.prepare(self)]
                self.write_config()
                super().start()

        self.yard = self.enterContext(Late())

    def prepare(self, yard):
        raise NotImplementedError

    def check_up(self):
        wait_until(lambda: self.yard.log.count("event=redis_up") >= 3, 10,
                   lambda: self.yard.log)

    def send(self, count):
        with self.yard.client("acme-news") as client:
            for n in range(count):
                client.send(f"u{n}@meter.test", "news@acme.test")

    def wait_delivered(self, count, seconds=40):
        wait_until(lambda: len(self.yard.events("delivered")) >= count,
                   seconds, lambda: f"{len(self.yard.events('delivered'))}\n"
                                    f"{self.yard.log[-2000:]}")

    def check_limits_held(self):
        counts = self.yard.internet.stats()["meter"]
        self.assertEqual(counts["violations"], {})


class WithTls(Elsewhere):
    def prepare(self, yard):
        certificate, key = self.folder / "cert.pem", self.folder / "key.pem"
        self.servers = self.enterContext(Servers(self.folder / "r", yard.net))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
             "/CN=redis", "-addext",
             f"subjectAltName=IP:{self.servers.address(1)}",
             "-keyout", key, "-out", certificate],
            check=True, capture_output=True)
        self.servers.start_tls(certificate, key)
        password = self.folder / "password"
        password.write_text(PASSWORD + "\n")
        self.trusted = certificate
        return state(f'redis = "rediss://{self.servers.address(1)}:{PORT}"; '
                     f'user = "{USER}"; password_file = "{password}"; '
                     f'ca_file = "{self.ca_file()}";')

    def ca_file(self):
        return self.trusted

    def test_limits_are_counted_there(self):
        self.check_up()
        self.send(60)
        self.wait_delivered(60)
        self.check_limits_held()
        self.assertNotIn("NOPERM", self.yard.log)
        self.assertNotIn("refuses", self.yard.log)


class WithTlsOfAStranger(WithTls):
    def ca_file(self):
        return "/etc/ssl/certs/ca-certificates.crt"

    def test_limits_are_counted_there(self):
        """It is not spoken to, and mail flows all the same."""
        self.send(10)
        self.wait_delivered(10)
        self.assertIn("redis_down", self.yard.log)
        self.assertNotIn("event=redis_up", self.yard.log)


class Watched(Elsewhere):
    def prepare(self, yard):
        self.servers = self.enterContext(Servers(self.folder / "r", yard.net))
        self.servers.start("one", 1)
        self.servers.start("two", 2, "--replicaof", self.servers.address(1),
                           str(PORT))
        self.servers.start_sentinels(1)
        return state(f'redis = "{self.servers.sentinels_url}";')

    def wait_moved(self, number):
        """Limits are counted there."""
        def moved():
            return (self.servers.ask(number, "ROLE")[:1] == ["master"]
                    and self.servers.ask(number, "KEYS",
                                         "sendyard:slots:*") != [""])
        wait_until(moved, 30, lambda: self.yard.log[-3000:])

    def test_a_master_that_dies_is_replaced(self):
        self.check_up()
        self.send(150)
        self.wait_delivered(15)
        self.servers.stop("one")
        self.wait_moved(2)
        self.wait_delivered(150)
        self.check_limits_held()
        self.assertEqual(self.yard.events("deferred"), [])

    def test_a_master_that_hangs_is_replaced_and_shunned_as_replica(self):
        self.check_up()
        self.send(200)
        self.wait_delivered(15)
        self.servers.signal("one", signal.SIGSTOP)
        self.wait_moved(2)
        self.servers.signal("one", signal.SIGCONT)
        self.wait_delivered(200)
        wait_until(lambda: self.servers.ask(1, "ROLE")[:1] == ["slave"], 20,
                   "the old master is no replica")
        self.check_limits_held()


if __name__ == "__main__":
    unittest.main()
