"""rig - the platform as single processes, under load, with everything noted.

Router, workers and Redis are children of the test, so that each can be killed,
started with a crash point, or loaded with a shim. Receivers are sinks that
keep ledgers: one takes all of fast.test, one refuses all of bench.test for
good, one takes the reports. grey.test, of the simulated internet, defers first.
"""

import ctypes
import json
import mmap
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("SENDYARD_BUILD", str(ROOT / "build" / "crash"))
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from support import internet, settings  # noqa: E402
from support.lines import JsonLines  # noqa: E402
from support.net import Net  # noqa: E402
from support.places import BUILD, program  # noqa: E402

internet.ZONES["acme.test"] = "@ MX 10 mx\nmx A 127.20.202.1\n"
SINKS = {"fast": ("201.1", ()), "bench": ("200.1", ("--refuse", "550")),
         "acme": ("202.1", ())}
CHANGES = (
    ("workers = 2;", 'workers = 2;\nstate = { redis = "unix://@RUN@/redis.sock"; '
     '};\nbus = { beat = "200ms"; lease = "1500ms"; };'),
    ('segment_size = "16MB"', 'segment_size = "1MB"; body_cache = "@CACHE@"'),
)
WORKERS = ("worker-1", "worker-2")


class Lines:
    """Fields of whole lines that were added since the last look."""

    def __init__(self, path):
        self._path = path
        self._at = 0

    def fresh(self):
        try:
            with open(self._path, "rb") as file:
                file.seek(self._at)
                bytes_ = file.read()
        except FileNotFoundError:
            return []
        whole = bytes_[:bytes_.rfind(b"\n") + 1]
        self._at += len(whole)
        return [line.split("\t") for line in
                whole.decode(errors="replace").splitlines()]


class Control(ctypes.Structure):
    """struct control of fault.c"""
    _fields_ = [(name, ctypes.c_uint64) for name in
                ("mode", "injected", "second_syncs", "syncs")]


class Rig:
    def __init__(self, body_cache="64MB", dot_ms=0):
        self._body_cache = body_cache
        self._dot_ms = dot_ms  # before fast.test answers the dot
        self._children = {}
        self._logs = {}
        self.workers_killed = 0
        self.worker_kills = 0  # asked for, in all

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by __exit__
        self.net = Net()
        self.folder = Path(tempfile.mkdtemp(prefix="crash-"))
        self.folder.chmod(0o755)
        self.host = self.net.address("0.1")
        self.internet = internet.Internet(self.folder / "internet", self.net,
                                          False)
        try:
            self.internet.start()
            self._prepare()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, *_):
        for name in list(self._children):
            self.end(name)
        self.internet.stop()
        self.net.release()
        if kind is None and not os.environ.get("CRASH_KEEP"):
            shutil.rmtree(self.folder)
        else:
            print(f"kept in {self.folder}")

    def _prepare(self):
        tls = self.folder / "tls"
        tls.mkdir()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "3", "-subj",
             "/CN=mail.sendyard.test", "-keyout", tls / "key.pem", "-out",
             tls / "cert.pem"], check=True, capture_output=True)
        run = self.folder / "run"
        run.mkdir()
        changes = [(old, new.replace("@RUN@", str(run))
                    .replace("@CACHE@", self._body_cache))
                   for old, new in CHANGES]
        self.config = self.folder / "sendyard.cfg"
        self.config.write_text(settings.make(
            self.net, self.internet.dns, run, self.host, changes))
        control = self.folder / "control"
        control.write_bytes(bytes(ctypes.sizeof(Control)))
        with open(control, "r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 0)
        self.control = Control.from_buffer(self._shared)
        self.control.mode = ord("-")
        self.events = JsonLines(self.folder / "events.log", may_tear=True)
        for name, (low, options) in SINKS.items():
            self.start(name, [program("sendyard-sink"), "--listen",
                              f"{self.net.address(low)}:25", "--ledger",
                              self.folder / f"{name}.ledger", "--delay-ms",
                              self._dot_ms if name == "fast" else 0, *options])
        self.start("redis", ["redis-server", "--port", "0", "--unixsocket",
                             run / "redis.sock", "--save", "", "--dir", run])
        for name in WORKERS:
            self.start_worker(name)

    # Processes.

    def start(self, name, command, **env):
        with open(self.folder / f"{name}.log", "ab") as log:
            self._children[name] = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=dict(os.environ, **env))
        return self._children[name]

    def start_worker(self, name):
        self.start(name, [program("sendyard-worker"), "--config", self.config,
                          "--name", name])

    def start_router(self, point=None, faults=False):
        env = {}
        if point:
            env["SENDYARD_CRASH_POINT"] = point
        if faults:
            env.update(
                FAULT_FOLDER=str(self.folder / "spool"),
                FAULT_FILE=str(self.folder / "control"),
                LD_PRELOAD=str(BUILD / "tests" / "crash" / "crash-fault.so"))
        return self.start("router", [program("sendyard-router"), "--config",
                                     self.config], **env)

    def child(self, name):
        return self._children[name]

    def end(self, name, signo=signal.SIGTERM, seconds=15):
        child = self._children.pop(name)
        if child.poll() is None:
            child.send_signal(signo)
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        return child.returncode

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    # Load.

    def load(self, kind, domain, messages, connections, size, *more):
        """A generator; its ledger is KIND.sent."""
        return self.start(f"load-{kind}", [
            program("sendyard-load"), "--to",
            f"{self.host}:{settings.SUBMISSION}", "--starttls", "--auth",
            f"acme-app:{settings.PASSWORD}", "--from", "load@acme.test",
            "--rcpt", f"user%d@{domain}", "--messages", messages,
            "--connections", connections, "--size", size, "--sum",
            "--patience", 30, "--ledger", self.folder / f"{kind}.sent", *more])

    def said(self, kind):
        """The generator's summary, the last one in its log."""
        return json.loads(self.log(f"load-{kind}").splitlines()[-1])

    def queued(self):
        """Messages that the router has; None while it does not answer."""
        done = subprocess.run([program("sendyard"), "status", "--config",
                               self.config, "--json"], text=True,
                              capture_output=True, timeout=20, check=False)
        try:
            return json.loads(done.stdout)["spool"]["messages"]
        except (json.JSONDecodeError, KeyError, TypeError):
            return None


class Audit:
    """What was promised and what came, over the whole life of a rig."""

    def __init__(self, rig, kinds):
        self._rig = rig
        self._sent = [Lines(rig.folder / f"{kind}.sent") for kind in kinds]
        self._refused = Lines(rig.folder / "refused.sent")
        self._received = Lines(rig.folder / "fast.ledger")
        self._reports = Lines(rig.folder / "acme.ledger")
        self.acknowledged = {}  # load id: queue id
        self.in_doubt = set()
        self.copies = Counter()
        self.altered = set()
        self.refused = self.refused_in_doubt = self.reports = 0

    def look(self):
        for lines in self._sent:
            for fields in lines.fresh():
                if fields[0].startswith("?"):
                    self.in_doubt.add(fields[0][1:])
                else:
                    self.acknowledged[fields[0]] = fields[2].rpartition(" ")[2]
        for fields in self._refused.fresh():
            if fields[0].startswith("?"):
                self.refused_in_doubt += 1
            else:
                self.refused += 1
        for fields in self._received.fresh():
            self.copies[fields[0]] += 1
            if fields[4] != "good":
                self.altered.add(fields[0])
        self.reports += len(self._reports.fresh())

    def lost(self):
        return self.acknowledged.keys() - self.copies.keys()

    def invented(self):
        return self.copies.keys() - self.acknowledged.keys() - self.in_doubt

    def twice(self):
        return {name for name, count in self.copies.items() if count > 1}

    def unexplained(self):
        """Doubled, and the platform's log does not own up to it."""
        owned = self.named()
        ids = {}
        for event in self._rig.events.items():
            if event["event"] == "accepted":
                ids[event.get("message_id", "").strip("<>").partition("@")[0]] = \
                    event["id"]
        return {name for name in self.twice()
                if self.acknowledged.get(name, ids.get(name)) not in owned}

    def named(self):
        return {event["id"] for event in self._rig.events.items()
                if event["event"] == "possible_duplicate"}

    def workers_killed(self):
        return self._rig.workers_killed

    def drained(self):
        self.look()
        return (not self.lost() and self.reports >= self.refused
                and self._rig.queued() == 0)

    def wait_drained(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.drained():
                return True
            time.sleep(0.1)
        return False

    def wrong(self):
        """What is not as promised, in words; empty: all is well."""
        self.look()
        found = {"lost": self.lost(), "invented": self.invented(),
                 "altered": self.altered, "doubled": self.unexplained()}
        texts = [f"{len(names)} {what}: {' '.join(sorted(names)[:3])}"
                 for what, names in found.items() if names]
        if self.reports < self.refused:
            texts.append(f"{self.refused - self.reports} reports lost")
        return texts
