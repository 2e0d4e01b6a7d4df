"""A source with an IPv4 and an IPv6 address, and a receiver with both."""

import socket
import time
import unittest

from support.places import program
from test_proxy import Server
from yard import Yard

N1 = '{ name = "n1"; address = "127.10.3.1";'
BOTH = (N1, N1 + ' address6 = "::1";')
SIX = "::1"


def limits(port, more=""):
    """Each message has a connection of its own, to a port that is free at ::1,
    which all yards share."""
    return ("limits = (", 'limits = ( { domain = "both.test"; '
            f'smtp_port = {port}; max_msg_per_connection = 1; '
            f'connect_timeout = "10s"; {more} }},')


def free_port():
    with socket.create_server((SIX, 0), family=socket.AF_INET6) as server:
        return server.getsockname()[1]


class Families(unittest.TestCase):
    def start(self, more=""):
        """A yard with one worker, and a receiver at the IPv4 address."""
        self.port = free_port()
        self.yard = self.enterContext(Yard([BOTH, limits(self.port, more)]))
        self.yard.command("worker", "drain", "worker-2")
        self.four = self.yard.net.address("16.2")
        self.enterContext(self.receiver("four", self.four))

    def receiver(self, name, host):
        at = f"[{host}]" if ":" in host else host
        config = self.yard.folder / f"{name}.cfg"
        config.write_text(
            f'record = "{config}.record"; stats = "{config}.stats";\n'
            f'providers = ( {{ name = "{name}"; host_name = "mx.both.test"; '
            f'listen = [ "{at}:{self.port}" ]; domains = [ "*" ]; }} );\n')
        return Server(host, self.port, program("sendyard-receiver"), config)

    def fill(self):
        """Nobody accepts, and nobody refuses, at the IPv6 address."""
        hole = self.enterContext(socket.create_server(
            (SIX, self.port), family=socket.AF_INET6, backlog=0))
        for _ in range(4):
            one = self.enterContext(socket.socket(socket.AF_INET6))
            one.setblocking(False)
            one.connect_ex(hole.getsockname())

    def check(self, source_ip, host_ip):
        """The way that one message took, and the seconds until then."""
        began = time.monotonic()
        sent = self.yard.submit("you@both.test", headers={
            "X-Sendyard-Stream": "neutral"})
        event = self.yard.outcome(sent, "delivered")
        took = time.monotonic() - began
        self.assertEqual(
            (event["source_ip"], event["host_ip"], event["attempt"]),
            (source_ip, host_ip, 1))
        return took

    def test_ipv6_goes_first_and_ipv4_soon_when_nobody_is_there(self):
        self.start()
        with self.receiver("six", SIX):
            self.check(SIX, SIX)
        self.fill()
        took = self.check(self.yard.source("n1"), self.four)
        print(f"    fell over after {took:.1f} s", flush=True)
        self.assertGreaterEqual(took, 1.5)
        self.assertLess(took, 4)
        self.assertLess(self.check(self.yard.source("n1"), self.four), 1.5)

    def test_ipv4_goes_first_where_the_config_says_so(self):
        self.start('address_preference = "ipv4";')
        with self.receiver("six", SIX):
            self.check(self.yard.source("n1"), self.four)


if __name__ == "__main__":
    unittest.main()
