"""load - many messages in, a sink at the other end, and the audit of both.

The sink plays all of fast.test and keeps a ledger, as the generator does; the
audit joins them: what got a 250 must arrive, and nothing else may.
"""

import json
import os
import signal
import subprocess

from support import settings
from support.places import AUDIT, program
from support.wait import wait_until

SINK_ADDRESS = "201.1"  # of mx.fast.test, see internet.py


class Load:
    def __init__(self, yard, messages):
        self._yard = yard
        self._messages = messages
        self.sent = yard.folder / "load.ledger"
        self.received = yard.folder / "sink.ledger"
        self._processes = []

    def __enter__(self):
        self._start("sink", "sendyard-sink", "--listen",
                    f"{self._yard.net.address(SINK_ADDRESS)}:25",
                    "--ledger", self.received)
        return self

    def __exit__(self, *_):
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(20)

    def _start(self, name, *command):
        with open(self._yard.folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen(
                [program(command[0]), *map(str, command[1:])],
                stdout=log, stderr=log)
        self._processes.append(process)
        return process

    def begin(self, connections=10):
        """Starts to submit; finish() waits for the end."""
        self._generator = self._start(
            "load", "sendyard-load", "--to",
            f"{self._yard.host}:{settings.SUBMISSION}", "--starttls",
            "--auth", f"acme-app:{settings.PASSWORD}",
            "--from", "load@acme.test", "--rcpt", "user%d@fast.test",
            "--messages", self._messages, "--connections", connections,
            "--ledger", self.sent)

    def count_sent(self):
        """Messages acknowledged so far."""
        return _lines(self.sent)

    def count_received(self):
        return _lines(self.received)

    def wait_sent(self, count, seconds=60):
        wait_until(lambda: self.count_sent() >= count, seconds,
                   lambda: f"{self.count_sent()} of {count} were submitted")

    def finish(self, seconds=120):
        """Waits until all is submitted and arrived; returns the audit."""
        if self._generator.wait(seconds) != 0:
            raise AssertionError("the generator failed: see load.log")
        wait_until(lambda: self._audit()["lost"] == 0, seconds,
                   lambda: f"{self._audit()}\n{self._yard.log[-2000:]}")
        return self._audit()

    def said(self):
        """The generator's summary."""
        return json.loads((self._yard.folder / "load.log").read_text())

    def _audit(self):
        done = subprocess.run([AUDIT, "--sent", self.sent, "--received",
                               self.received], capture_output=True,
                              text=True, check=False)
        if not done.stdout:
            return {"lost": self._messages, "why": done.stderr}
        return json.loads(done.stdout)


def _lines(path):
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def messages():
    """How many a test should send: YARD_FULL=1 for the whole figure."""
    return 10000 if os.environ.get("YARD_FULL") == "1" else 2000
