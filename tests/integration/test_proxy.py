"""Sources whose addresses are elsewhere: SOCKS5 and HAProxy in between."""

import contextlib
import socket
import subprocess
import tempfile
import unittest

from support.wait import wait_until
from test_trace import Tracer
from yard import Yard

LOGIN = "yard:a-secret:word"
NEUTRAL = '{ name = "n1"; address = "127.10.3.1"; ehlo = "n1.sendyard.test"; }'


def behind(proxy, *more):
    """The change that puts the source n1 behind a proxy."""
    return (NEUTRAL, NEUTRAL.replace("; }", "; " + "; ".join(
        (f'proxy = "{proxy}"', *more)) + "; }"))


def listens(host, port):
    with contextlib.suppress(OSError), \
            socket.create_connection((host, port), timeout=1):
        return True
    return False


class Server(contextlib.AbstractContextManager):
    """A program that listens, ended with the test."""

    def __init__(self, host, port, *command):
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        wait_until(lambda: listens(host, port), 10,
                   f"{command[0]} does not listen")

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Proxy(unittest.TestCase):
    """The proxy listens at 127.0.0.1, and microsocks sends from an address
    that is not the source's."""

    def setUp(self):
        self.port = free_port()

    def start(self, scheme, *more):
        """A yard whose source n1 is behind the proxy."""
        at = f"{scheme}://127.0.0.1:{self.port}"
        yard = self.enterContext(Yard([behind(at, *more)]))
        self.exit = yard.net.address("60.2")
        return yard

    def socks(self, *options):
        return Server("127.0.0.1", self.port, "microsocks", "-i",
                      "127.0.0.1", "-p", str(self.port), "-b", self.exit,
                      *options)

    def submit(self, yard):
        return yard.submit("you@plain.test")

    def test_mail_leaves_by_a_socks_proxy(self):
        file = self.enterContext(tempfile.NamedTemporaryFile("w"))
        file.write(LOGIN + "\n")
        file.flush()
        yard = self.start("socks5", f'proxy_login_file = "{file.name}"')
        name, word = LOGIN.split(":", 1)
        sent = self.submit(yard)
        event = yard.outcome(sent, "deferred")
        self.assertIn("proxy: ", event["reply"])
        tracer = self.enterContext(
            contextlib.closing(Tracer(yard, "--domain", "plain.test")))
        with self.socks("-u", name, "-P", word):
            yard.outcome(sent, "delivered", seconds=30)
            wait_until(lambda: "> QUIT" in tracer.talk(), 10,
                       lambda: tracer.text)
        self.assertTrue(any(line.startswith("< 220")
                            for line in tracer.talk()), tracer.text)
        self.assertNotIn("secret", tracer.text)
        self.assertEqual(yard.arrival(sent)["source"], self.exit)
        self.assertNotIn("secret", yard.log)

    def test_a_socks_proxy_says_why_not(self):
        yard = self.start("socks5")
        with self.socks("-u", "some", "-P", "body"):
            event = yard.outcome(self.submit(yard), "deferred")
        self.assertEqual(event["status"], "4.3.5")
        self.assertIn("wants a login", event["reply"])

    def test_mail_leaves_by_haproxy_from_the_source_address(self):
        yard = self.start("haproxy")
        config = yard.folder / "haproxy.cfg"
        config.write_text(
            "defaults\n  mode tcp\n  timeout connect 5s\n"
            "  timeout client 60s\n  timeout server 60s\n"
            f"frontend in\n  bind 127.0.0.1:{self.port} accept-proxy\n"
            "  default_backend out\n"
            "backend out\n  source 0.0.0.0 usesrc clientip\n"
            "  server any 0.0.0.0:0\n")
        sent = self.submit(yard)
        yard.outcome(sent, "deferred")
        with Server("127.0.0.1", self.port, "haproxy", "-db", "-f",
                    str(config)):
            yard.outcome(sent, "delivered", seconds=30)
        self.assertEqual(yard.arrival(sent)["source"], yard.source("n1"))

    def test_only_the_workers_that_are_named_hold_the_source(self):
        yard = self.start("socks5", 'proxy_workers = ( "worker-2" )')
        with self.socks():
            yard.outcome(self.submit(yard), "delivered")
        held = {row.split()[0]: row.split()[-1] for row in
                yard.command("status").stdout.splitlines()
                if row.startswith("worker-")}
        self.assertEqual(int(held["worker-1"]) + 1, int(held["worker-2"]))


if __name__ == "__main__":
    unittest.main()
