"""Exim as the receiver: CHUNKING, PIPELINING and TLS of somebody else."""

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from support import internet
from support.wait import wait_until
from yard import Yard, pause

CACHE = Path(os.environ.get("INTEROP_CACHE", "/var/cache/sendyard-interop"))
EXIM = CACHE / "exim" / "usr" / "sbin" / "exim4"  # tests/interop/install
MX = "203.1"
MESSAGES = 120
SMALL = "..\r\n.\r\nline\r\n" + ("x" * 70 + "\r\n.y\r\n") * 4
LARGE = SMALL * 300
CONFIG = """
primary_hostname = mx.exim.test
exim_path = {exim}
never_users =
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
log_selector = +pipelining +incoming_port
keep_environment =
local_interfaces = {address}
daemon_smtp_ports = 25
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 200
smtp_accept_max_per_connection = 0
tls_advertise_hosts = *
tls_certificate = {folder}/cert.pem
tls_privatekey = {folder}/key.pem
chunking_advertise_hosts = {chunking}
pipelining_advertise_hosts = *
acl_smtp_rcpt = recipient
acl_smtp_data = all
queue_only = true

begin acl
all:
  accept
recipient:
  deny message = no such user here
       local_parts = nobody
  accept
"""
# What a message's line in the log says of how it came.
CAME = re.compile(r"^\S+ \S+ (\S+) <= .* H=.*:(?P<port>\d+) "
                  r"P=(?P<proto>\S+)(?P<flags>.*) S=\d+")
WRONG = ("synchronization error", "protocol", "unrecognized", "syntactically",
         "SMTP call from", "unexpected disconnection", "too many")


class Exim:
    """A daemon that keeps what it takes in its spool."""

    def __init__(self, folder, address, chunking):
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o755)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-days", "3", "-subj", "/CN=mx.exim.test", "-keyout",
             folder / "key.pem", "-out", folder / "cert.pem"], check=True,
            capture_output=True)
        (folder / "conf").write_text(CONFIG.format(
            exim=EXIM, folder=folder, address=address,
            chunking="*" if chunking else ""))
        (folder / "spool").mkdir()
        for name in ("mainlog", "paniclog", "rejectlog"):
            (folder / name).touch()
        for path in folder.iterdir():
            if path.name != "conf":
                shutil.chown(path, "Debian-exim")
        with open(folder / "out", "wb") as out:
            self._process = subprocess.Popen(
                [EXIM, "-C", folder / "conf", "-bdf"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_until(lambda: "listening for SMTP" in self.log(), 10, self.why)

    def why(self):
        return "".join((self.folder / name).read_text() for name in
                       ("out", "paniclog", "mainlog"))

    def log(self):
        return (self.folder / "mainlog").read_text()

    def came(self):
        return list(filter(None, map(CAME.match, self.log().splitlines())))

    def kept(self, token):
        """Texts of messages in its spool with the token."""
        texts = [path.read_text() for path in
                 (self.folder / "spool" / "input").rglob("*-H")]
        return [text for text in texts if token in text]

    def body(self, name):
        path, = (self.folder / "spool" / "input").rglob(f"{name}-D")
        return path.read_bytes().split(b"\n", 1)[1]

    def close(self):
        self._process.terminate()
        self._process.wait(10)


@unittest.skipUnless(EXIM.exists(), "no Exim: tests/interop/install")
class TheReceiver(unittest.TestCase):
    def start(self, chunking):
        internet.ZONES["exim.test"] = f"@ MX 10 mx\nmx A 127.20.{MX}\n"
        self.addCleanup(internet.ZONES.pop, "exim.test")
        yard = self.enterContext(Yard())
        self.exim = Exim(yard.folder / "exim", yard.net.address(MX), chunking)
        self.addCleanup(self.exim.close)
        return yard

    def send(self, yard):
        """Many in a burst; each with dots, and one in four large."""
        with yard.client() as client:
            sent = [client.send([f"u{n}@exim.test", "nobody@exim.test"]
                                if n % 10 == 0 else f"u{n}@exim.test",
                                "app@acme.test",
                                body=LARGE if n % 4 == 0 else SMALL)
                    for n in range(MESSAGES)]
        for one in sent:
            event = yard.outcome(one, "delivered", seconds=60)
            self.assertTrue(event["tls"].startswith("TLS"), event)
            for address in one.to[1:]:
                yard.outcome(one, "bounced", address)
        return sent

    def check(self, yard, sent):
        """Each is there once, as it was sent, and Exim had nothing to say."""
        pause(0.5)
        log = self.exim.log()
        for word in WRONG:
            self.assertNotIn(word, log)
        self.assertEqual((self.exim.folder / "paniclog").read_text(), "")
        for one in sent:
            self.assertEqual(len(self.exim.kept(one.token)), 1, one)
        self.assertEqual(
            {self.exim.body(line[1]) for line in self.exim.came()},
            {text.replace("\r\n", "\n").encode() for text in (SMALL, LARGE)})
        self.assertEqual(yard.events("possible_duplicate"), [])
        self.assertEqual(yard.events("deferred"), [])
        came = self.exim.came()
        self.assertEqual(len(came), MESSAGES)
        ports = {line["port"] for line in came}
        self.assertLess(len(ports), MESSAGES / 4, "connections are not kept")
        print(f"# {MESSAGES} messages on {len(ports)} connections")
        return came

    def test_chunks_in_flight(self):
        yard = self.start(chunking=True)
        for line in self.check(yard, self.send(yard)):
            self.assertEqual(line["proto"], "esmtps")
            self.assertIn(" K", line["flags"])  # CHUNKING
            self.assertIn(" L", line["flags"])  # PIPELINING

    def test_data_with_pipelining(self):
        yard = self.start(chunking=False)
        for line in self.check(yard, self.send(yard)):
            self.assertNotIn(" K", line["flags"])
            self.assertIn(" L", line["flags"])


if __name__ == "__main__":
    unittest.main()
