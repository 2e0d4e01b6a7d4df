"""redis - Redis servers of a test's own: with TLS and a user, or watched by
sentinels."""

import signal
import subprocess

from support.wait import wait_until

NAME = "main"  # of the master, among its sentinels
PORT = 6400
USER, PASSWORD = "yard", "s3cret"
# What the platform needs, and no more.
RIGHTS = ("resetchannels ~sendyard:* -@all +@read +@write +@scripting "
          "+@connection +time +role")


class Servers:
    """Each has an address of the test's network."""

    def __init__(self, folder, net):
        self.folder = folder
        self.net = net
        self._processes = {}
        folder.mkdir()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in list(self._processes):
            self.stop(name)

    def address(self, number):
        return self.net.address(f"6.{number}")

    def stop(self, name, how=signal.SIGKILL):
        process = self._processes.pop(name)
        process.send_signal(how)
        process.wait(10)

    def signal(self, name, how):
        self._processes[name].send_signal(how)

    def _start(self, name, words):
        with open(self.folder / f"{name}.log", "wb") as log:
            self._processes[name] = subprocess.Popen(
                ["redis-server", *map(str, words)], stdout=log, stderr=log)

    def start(self, name, number, *words):
        self._start(name, ("--bind", self.address(number), "--port", PORT,
                           "--replica-announce-ip", self.address(number),
                           "--save", "", "--appendonly", "no",
                           "--dir", self.folder, *words))
        self.wait_up(number)

    def start_tls(self, certificate, key):
        """With TLS alone, a user of its own and no rights for others."""
        self._start("tls", (
            "--bind", self.address(1), "--port", 0, "--tls-port", PORT,
            "--tls-cert-file", certificate, "--tls-key-file", key,
            "--tls-auth-clients", "no", "--save", "", "--appendonly", "no",
            "--dir", self.folder,
            "--user", "default", "off", "--user", USER, "on",
            f">{PASSWORD}", *RIGHTS.split()))

    def start_sentinels(self, number, count=3):
        """They watch the master at `number`."""
        for i in range(count):
            conf = self.folder / f"sentinel{i}.conf"
            conf.write_text(
                f"port {PORT + 1}\nbind {self.address(11 + i)}\n"
                f"dir {self.folder}\n"
                f"sentinel announce-ip {self.address(11 + i)}\n"
                f"sentinel monitor {NAME} {self.address(number)} {PORT} 2\n"
                f"sentinel down-after-milliseconds {NAME} 1000\n"
                f"sentinel failover-timeout {NAME} 5000\n")
            self._start(f"sentinel{i}", (conf, "--sentinel"))
        wait_until(lambda: self.knows_all(count), 20, "no sentinels")

    @property
    def sentinels_url(self):
        hosts = ",".join(f"{self.address(11 + i)}:{PORT + 1}"
                         for i in range(3))
        return f"sentinel://{hosts}/{NAME}"

    def knows_all(self, count):
        fields = self.ask(11, "SENTINEL", "MASTER", NAME, port=PORT + 1)
        pairs = dict(zip(fields[::2], fields[1::2]))
        return (pairs.get("num-other-sentinels") == str(count - 1)
                and int(pairs.get("num-slaves", 0)) > 0)

    def ask(self, number, *words, port=PORT):
        """Lines of the answer; none when there is no answer."""
        done = subprocess.run(
            ["redis-cli", "-h", self.address(number), "-p", str(port), *words],
            capture_output=True, text=True, timeout=10)
        return done.stdout.splitlines()

    def wait_up(self, number):
        wait_until(lambda: self.ask(number, "PING") == ["PONG"], 10,
                   "no Redis")
