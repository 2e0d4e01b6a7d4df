"""yard - one whole platform to try things on: simulated internet, config,
router, workers, Redis, in a folder and on a loopback network of its own.

    with Yard() as yard:
        sent = yard.submit("you@bigmail.test")
        yard.outcome(sent, "delivered")

Leaving it ends the processes that it started, and no others. With YARD_KEEP=1
in the environment, or when the block failed, the folder stays for its logs.
"""

import contextlib
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from support import processes, settings
from support.internet import Internet
from support.letters import Client
from support.lines import JsonLines
from support.net import Net
from support.places import program
from support.wait import wait_until

USER = "sendyard"
READY_S = 20
STOP_S = 30
ARRIVE_S = 20
# What sanitizers and broken invariants (CHECK) write, and a crash leaves.
BROKEN = ("Sanitizer:", "runtime error:", "CHECK failed",
          " signal=6", " signal=11")
FINAL = ("delivered", "bounced", "expired")


class Yard:
    def __init__(self, changes=(), host=None, spool=None, user=None,
                 keep_messages=True):
        """`changes` are pairs (old, new) on the config's text. `host` is where
        it listens, `spool` a folder elsewhere, `user` whom it runs as."""
        self._changes = list(changes)
        self._host = host
        self._spool = spool
        self._user = user
        self._keep_messages = keep_messages
        self._serve = None
        self._log = None

    def __enter__(self):
        self.net = Net()
        self.folder = Path(tempfile.mkdtemp(prefix="yard-"))
        self.folder.chmod(0o755)
        self.internet = Internet(self.folder / "internet", self.net,
                                 self._keep_messages)
        try:
            self.internet.start()
            self._prepare()
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind, *_):
        self._end()
        wrong = [line for line in self.log.splitlines()
                 if any(word in line for word in BROKEN)]
        if wrong and kind is None:
            raise AssertionError("\n".join(wrong[:20]))
        if kind is None and os.environ.get("YARD_KEEP") != "1":
            shutil.rmtree(self.folder)

    def _end(self):
        try:
            self.kill_all()
        finally:
            self.internet.stop()
            self.net.release()

    # The platform's files.

    @property
    def config(self):
        return self.folder / "sendyard.cfg"

    @property
    def run_dir(self):
        return self.folder / "run"

    @property
    def log(self):
        """What the platform wrote to stderr."""
        return (self.folder / "sendyard.log").read_text(errors="replace")

    @property
    def host(self):
        return self._host or self.net.address("0.1")

    def source(self, name):
        """The address of a source of the quickstart config: "t1", "b2"."""
        pool = {"t": 101, "b": 102, "n": 103}[name[0]]
        return self.net.address(f"{pool}.{name[1]}")

    def write_config(self, changes=()):
        """Writes the config anew, with further changes."""
        changes = self._changes + list(changes)
        if self._user:
            changes.append(("workers = 2;",
                            f'workers = 2; user = "{self._user}";'))
        if self._spool:
            changes.append(('path = "spool"', f'path = "{self._spool}"'))
        self.config.write_text(settings.make(
            self.net, self.internet.dns, self.run_dir, self.host, changes))

    def make_certificate(self):
        """A new certificate and key for the listeners."""
        tls = self.folder / "tls"
        tls.mkdir(exist_ok=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
             "/CN=mail.sendyard.test", "-addext",
             "subjectAltName=DNS:mail.sendyard.test,DNS:localhost",
             "-keyout", tls / "key.pem", "-out", tls / "cert.pem"],
            check=True, capture_output=True)

    def _prepare(self):
        self.make_certificate()
        self.write_config()
        if self._user:
            make_user(self._user)
            for path in (self.folder, self.config, self.folder / "tls",
                         *(self.folder / "tls").iterdir()):
                shutil.chown(path, self._user, self._user)

    # Running it.

    def start(self):
        """Starts `sendyard serve` and waits until it is ready."""
        self._log = open(self.folder / "sendyard.log", "ab")
        self._serve = subprocess.Popen(
            [program("sendyard"), "serve", "--config", self.config],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            start_new_session=True)
        wait_until(self.is_ready, READY_S,
                   lambda: f"the platform is not ready:\n{self.log[-3000:]}")

    def is_ready(self):
        """The router answers, and so do both workers."""
        if self._serve.poll() is not None:
            raise AssertionError(f"serve ended early:\n{self.log[-3000:]}")
        answer = self.command("status")
        return answer.returncode == 0 and all(
            name in answer.stdout for name in ("worker-1", "worker-2"))

    def stop(self, signo=signal.SIGTERM):
        """Asks serve to end; returns its exit status."""
        self._serve.send_signal(signo)
        return self.wait()

    def wait(self):
        code = self._serve.wait(STOP_S)
        self._log.close()
        return code

    def kill_all(self):
        """Ends the platform: politely at first, then all that is left."""
        if self._serve and self._serve.poll() is None:
            self._serve.terminate()
            try:
                self._serve.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._serve.kill()
                self._serve.wait()
        for name in (self.config, self.run_dir):  # Redis knows the latter
            for pid in processes.naming(str(name)):
                os.kill(pid, signal.SIGKILL)
        if self._log:
            self._log.close()

    @property
    def serve_pid(self):
        return self._serve.pid

    def everything(self):
        """Pids of serve and all its children; empty before the start."""
        if not self._serve:
            return []
        return [self._serve.pid, *processes.children(self._serve.pid)]

    def pids(self, name):
        """Children of serve: "router", "worker", "worker-1", "redis"."""
        def is_it(pid):
            words = processes.command_line(pid)
            return (processes.comm(pid) in (f"sendyard-{name}",
                                            f"{name}-server")
                    or name in words)
        return [pid for pid in processes.children(self._serve.pid)
                if is_it(pid)]

    def pid(self, name):
        found = wait_until(lambda: self.pids(name), READY_S,
                           f"no process {name}")
        return found[0]

    def kill(self, name, signo=signal.SIGKILL):
        """Sends a signal to one process; returns its pid."""
        pid = self.pid(name)
        os.kill(pid, signo)
        return pid

    # Asking and telling it.

    def command(self, word, *arguments):
        """`sendyard WORD --config FILE ARGUMENTS...`, ended."""
        return run("sendyard", word, "--config", self.config, *arguments)

    def redis(self, *words):
        """A command to its private Redis; the lines of the answer."""
        done = subprocess.run(
            ["redis-cli", "-s", self.run_dir / "redis.sock", *words],
            capture_output=True, text=True, check=True, timeout=10)
        return done.stdout.splitlines()

    def post(self, path, body):
        """Posts JSON to the router's socket; the status and the answer."""
        connection = http.client.HTTPConnection("router")
        with contextlib.closing(connection):
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(READY_S)
            connection.sock.connect(str(next(self.run_dir.glob("*.sock"))))
            connection.request("POST", path, json.dumps(body))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def client(self, account="acme-app", **options):
        return Client(self.host, settings.SUBMISSION, account,
                      self.folder / "tls" / "cert.pem", **options)

    def submit(self, to, account="acme-app", sender="app@acme.test", **letter):
        """Sends one message in a session of its own."""
        with self.client(account) as client:
            return client.send(to, sender, **letter)

    # What became of it.

    def events(self, kind=None, **wanted):
        """Lines of the event log of this kind and with these members."""
        if not hasattr(self, "_events"):
            self._events = JsonLines(self.folder / "events.log")
        return [event for event in self._events.items()
                if (kind is None or event["event"] == kind)
                and all(event.get(key) == value
                        for key, value in wanted.items())]

    def history(self, sent, recipient=None):
        """All events of a message."""
        wanted = {"recipient": recipient} if recipient else {}
        return self.events(id=sent.id, **wanted)

    def outcome(self, sent, kind, recipient=None, seconds=ARRIVE_S):
        """Waits for the event of one recipient (the first when not given).
        Another outcome that is final fails at once."""
        recipient = recipient or sent.to[0]
        if sent.code != 250:
            raise AssertionError(f"not accepted: {sent.code} {sent.reply}")

        def look():
            for event in self.history(sent, recipient):
                if event["event"] == kind:
                    return event
                if event["event"] in FINAL:
                    raise AssertionError(f"not {kind}: {event}")
            return None
        return wait_until(look, seconds, lambda: (
            f"{recipient} not {kind}: {self.history(sent)}\n"
            f"{self.command('queue').stdout}\n{self.log[-2000:]}"))

    def arrived(self, sent):
        """The receivers' lines about this message, one for each copy."""
        return [line for line in self.internet.messages()
                if sent.token in line.get("subject", "")]

    def arrival(self, sent, seconds=ARRIVE_S):
        """Waits until the message has arrived somewhere."""
        return wait_until(lambda: self.arrived(sent), seconds, lambda: (
            f"{sent.subject} did not arrive: {self.history(sent)}"))[0]

    def violations(self):
        """Limits of receivers that were broken, by provider."""
        return {name: counts["violations"]
                for name, counts in self.internet.stats().items()
                if counts["violations"]}


def make_user(name):
    """A system user, unless there is one."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "--system", "--user-group",
                        "--no-create-home", "--shell", "/usr/sbin/nologin",
                        name], check=True)


def run(name, *arguments, seconds=30, text=None):
    """Runs a program of ours to its end, with `text` as its input; text in
    stdout and stderr."""
    return subprocess.run([program(name), *map(str, arguments)], text=True,
                          capture_output=True, timeout=seconds,
                          input=text or "", check=False)


def pause(seconds):
    """For tests that something does NOT happen, or that load goes on."""
    time.sleep(seconds)
