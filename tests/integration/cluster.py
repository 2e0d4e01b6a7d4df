"""cluster - two routers, Redis, three worker hosts and the simulated internet,
each on a host of its own (support/hosts.py).

    with Cluster() as cluster:
        sent = cluster.submit(1, "you@bigmail.test")
        cluster.outcome(sent, "delivered")

Hosts: router-1, router-2, redis, worker-1 to worker-3, internet. Worker host n
has the source sn. The bus is CURVE over TCP, each host with a key of its own.
"""

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from support.hosts import Hosts
from support.internet import Internet
from support.letters import Client
from support.lines import JsonLines
from support.places import program
from support.wait import wait_until

ROUTERS, WORKERS = (1, 2), (1, 2, 3)
LOW = {"router-1": 1, "router-2": 2, "redis": 5, "internet": 9,
       "worker-1": 11, "worker-2": 12, "worker-3": 13}
SOURCE_LOW = 100  # source sn is .100 + n
PORT, BUS, REDIS = 1587, 7400, 6379
PASSWORD = "cluster"
HASH = ("$y$j9T$F5Jx5fExrKuPp53xLKQ..1"
        "$p3kGgIA21DvXuKs4EhDyhxMcKh5158mtUJN3j8FoqY1")  # of "quickstart"
CONFIG = """
host_name = "mail.cluster.test";
run_dir = "run";
tls = {{ certificate = "tls/cert.pem"; key = "tls/key.pem"; }};
routers = ( {routers} );
bus = {{ key_file = "secret"; router_key = "{router_key}";
    workers = ( {worker_keys} ); }};
state = {{ redis = "redis://{redis}:{redis_port}"; password_file = "password"; }};
listeners = ( {{ name = "submission"; address = "0.0.0.0:{port}"; }} );
accounts = ( {{ name = "app"; password = "{hash}"; declared = "{declared}";
    from_domains = ( "acme.test" ); }} );
sources = ( {sources} );
limits = ( {{ max_smtp_out = 4; idle_timeout = "2s"; connect_timeout = "3s"; }},
    {{ domain = "meter.test"; max_smtp_out = 4; max_msg_rate = "10/s"; }} );
retry = "1s";
resolver = {{ address = "{dns}"; }};
spool = {{ path = "spool"; segment_size = "16MB"; min_free = "1MB"; }};
log = {{ events = "events.log"; }};
{more}
"""


class Cluster:
    def __init__(self, more="", declared="always", keep_messages=False):
        """`more` config; what the account's declarations are worth; whether
        receivers keep what they got."""
        self._keep_messages = keep_messages
        self._more = more
        self._declared = declared

    def __enter__(self):
        self.hosts = Hosts().__enter__()
        self.folder = Path(tempfile.mkdtemp(prefix="cluster-"))
        self.processes = {}
        self._events = {}
        self.internet = None
        try:
            self._lay_cables()
            self._start_internet()
            self._write_files()
            self._start_all()
        except BaseException:
            self.__exit__(BaseException)
            raise
        return self

    def __exit__(self, kind, *_):
        for name in list(self.processes):
            if name.startswith(("worker", "router")) and kind is None:
                self.stop(name, signal.SIGTERM)
        if self.internet:
            self.internet.stop()
        self.hosts.__exit__()
        if kind is None:
            shutil.rmtree(self.folder)

    def _lay_cables(self):
        for host, low in LOW.items():
            self.hosts.add(host, low)
        for n in WORKERS:
            self.hosts.add_address(f"worker-{n}", SOURCE_LOW + n)
        self.hosts.own_network("internet", f"{self.prefix}.0.0/16",
                               LOW["internet"])

    @property
    def prefix(self):
        """Of the simulated internet."""
        return f"10.{self.hosts.number}"

    def _start_internet(self):
        class Elsewhere:
            prefix = self.prefix

            @staticmethod
            def address(low):
                return f"{self.prefix}.{low}"

        self.internet = Internet(
            self.folder / "internet", Elsewhere(), self._keep_messages,
            within=self.hosts.words("internet", ()))
        self.internet.start()

    def _keygen(self, host):
        """Makes the host's folder and secret; the public key."""
        folder = self.folder / host
        folder.mkdir()
        done = subprocess.run(
            [program("sendyard"), "keygen", folder / "secret"],
            capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def _write_files(self):
        router_key = self._keygen("router-1")
        (self.folder / "router-2").mkdir()
        shutil.copy(self.folder / "router-1" / "secret",
                    self.folder / "router-2" / "secret")
        keys = [self._keygen(f"worker-{n}") for n in WORKERS]
        address = self.hosts.address
        self.text = CONFIG.format(
            routers=", ".join(
                f'{{ name = "router-{n}"; number = {n}; '
                f'bus = "tcp://{address(LOW[f"router-{n}"])}:{BUS}"; }}'
                for n in ROUTERS),
            router_key=router_key,
            worker_keys=", ".join(f'"{key}"' for key in keys),
            redis=address(LOW["redis"]), redis_port=REDIS, port=PORT,
            hash=HASH, dns=self.internet.dns, more=self._more,
            declared=self._declared,
            sources=", ".join(
                f'{{ name = "s{n}"; address = "{address(SOURCE_LOW + n)}"; '
                f'ehlo = "s{n}.cluster.test"; }}' for n in WORKERS))
        for host in ("router-1", "router-2", *(f"worker-{n}"
                                               for n in WORKERS)):
            folder = self.folder / host
            (folder / "sendyard.cfg").write_text(self.text)
            (folder / "password").write_text(PASSWORD)
            (folder / "tls").mkdir()
            (folder / "run").mkdir()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
             "/CN=mail.cluster.test", "-keyout", self.folder / "key.pem",
             "-out", self.folder / "cert.pem"],
            check=True, capture_output=True)
        for folder in self.folder.glob("*/tls"):
            if folder.parent.name != "internet":
                shutil.copy(self.folder / "key.pem", folder)
                shutil.copy(self.folder / "cert.pem", folder)

    # Processes.

    def _start_all(self):
        self.start_redis()
        for n in ROUTERS:
            self.start(f"router-{n}")
        for n in WORKERS:
            self.start(f"worker-{n}")
        wait_until(self.is_ready, 20, self.logs)

    def start_redis(self):
        self.processes["redis"] = self.hosts.start(
            "redis", ["redis-server", "--bind",
                      self.hosts.address(LOW["redis"]), "--port", REDIS,
                      "--requirepass", PASSWORD, "--save", "", "--appendonly",
                      "no", "--dir", self.folder], self.folder / "redis.log")

    def start(self, name):
        """router-n or worker-n, on the host of that name."""
        self.processes[name] = self.hosts.start(
            name, [program(f"sendyard-{name[:-2]}"), "--config",
                   self.folder / name / "sendyard.cfg", "--name", name],
            self.folder / f"{name}.log")

    def stop(self, name, signo=signal.SIGKILL):
        process = self.processes.pop(name)
        process.send_signal(signo)
        return process.wait(40)

    def signal(self, name, signo):
        self.processes[name].send_signal(signo)

    def logs(self):
        return "\n".join(f"== {path.name}\n{path.read_text()[-1500:]}"
                         for path in sorted(self.folder.glob("*.log")))

    # Looking at it.

    def command(self, router, *words):
        done = subprocess.run(
            self.hosts.words(f"router-{router}", [
                program("sendyard"), words[0], "--config",
                self.folder / f"router-{router}" / "sendyard.cfg",
                "--router", f"router-{router}", *words[1:]]),
            capture_output=True, text=True, timeout=20, check=False)
        return done.stdout

    def is_ready(self):
        return all(
            all(f"worker-{n}" in self.command(router, "status")
                for n in WORKERS) for router in ROUTERS)

    def client(self, router):
        """At that router; to be used and closed within `with`."""
        with self.hosts.at(f"router-{router}"):
            return Client(self.hosts.address(LOW[f"router-{router}"]), PORT,
                          "app", self.folder / "cert.pem")

    def submit(self, router, to, count=1):
        """So many messages; what was said to each. %d is their number."""
        with self.client(router) as client:
            return [client.send(to.replace("%d", str(n)), "app@acme.test")
                    for n in range(count)]

    def events(self, kind, **wanted):
        found = []
        for n in ROUTERS:
            lines = self._events.setdefault(n, JsonLines(
                self.folder / f"router-{n}" / "events.log"))
            found += [event for event in lines.items()
                      if event["event"] == kind
                      and all(event.get(key) == value
                              for key, value in wanted.items())]
        return found

    def delivered_ids(self):
        return {event["id"] for event in self.events("delivered")}

    def wait_delivered(self, sent, seconds=40):
        wanted = {one.id for one in sent}
        wait_until(lambda: wanted <= self.delivered_ids(), seconds,
                   lambda: f"{len(wanted - self.delivered_ids())} of "
                           f"{len(wanted)} are missing\n{self.logs()}")
