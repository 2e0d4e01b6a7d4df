"""bench - router, workers and Redis of a build, for the benchmarks.

Each process is started alone, so that a queue can be filled while no worker
is there, and a router be killed. Everything listens on loopback and lives in
a folder that goes with the object. Only what an operator has is used: config,
SMTP, the commands, /proc.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOOLS = pathlib.Path(__file__).resolve().parent.parent / "tools" / "load"
HASH = ("$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"
        "p3kGgIA21DvXuKs4EhDyhxMcKh5158mtUJN3j8FoqY1")
CONFIG = """
host_name = "bench.sendyard.test";
run_dir = "{folder}";
submission_threads = 1;
max_incoming_memory = "4GB";
state = {{ redis = "unix://{folder}/redis"; }};
routers = ( {{ name = "r1"; number = 1; bus = "ipc://{folder}/bus"; }} );
listeners = ( {listeners} );
accounts = ( {accounts} );
sources = ( {sources} );
pools = ( {pools} );
routes = ( {routes} );
streams = ( {streams} );
limits = ( {{ smtp_port = {sink_port}; max_smtp_out = {slots};
    max_msg_per_connection = {each}; tls = "{tls}"; prohibited = ( );
    {limits} }} );
spool = {{ path = "{folder}/spool"; segment_size = "128MB";
    body_cache = "{body_cache}"; }};
log = {{ level = "warning"; events = "{events}"; }};
"""


RECEIVER = """
record = "{folder}/receiver.record"; stats = "{folder}/receiver.stats";
providers = ( {{ name = "far"; host_name = "mx.far.test";
    listen = [ "127.0.0.1:{port}" ]; domains = [ "*" ];
    capabilities = [ {capabilities} ]; {tls} }} );
"""


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def wait_until(is_true, seconds, what):
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            raise TimeoutError(what() if callable(what) else what)
        time.sleep(0.05)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def quantile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def ledger(path):
    """id -> UTC us of the lines of a ledger."""
    with open(path, encoding="ascii", errors="replace") as lines:
        rows = (line.rstrip("\n").split("\t") for line in lines
                if line.endswith("\n"))
        return {row[0]: int(row[1]) for row in rows if row[0][0] != "?"}


class Platform:
    """streams: name -> dict(pool, and what stands in its config). limits:
    what stands in that section further, `tls` and `each`
    (messages of a connection, 0: any number) apart. sink_port: of a receiver that is not
    the platform's to start."""

    def __init__(self, build, streams, *, slots=20, workers=2,
                 body_cache="64MB", limits="", tls="off", each=0,
                 sink_port=None):
        self.bin = pathlib.Path(build).resolve() / "bin"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bench."))
        self.streams = streams
        self.worker_count = workers
        ports = free_ports(len(streams) + 1)
        self.sink_port = sink_port or ports[-1]
        self.ports = dict(zip(streams, ports))
        self.slots = slots
        self.body_cache = body_cache
        self.limits = limits
        self.tls = tls
        self.each = each
        self.processes = {}
        self._numbers = iter(range(1 << 30))
        self._events = self.folder / "events.log"
        self._write_config()
        self.spawn("redis", "redis-server", "--port", "0", "--unixsocket",
                   self.folder / "redis", "--save", "", "--appendonly", "no")
        wait_until((self.folder / "redis").exists, 10, "no redis")

    def _write_config(self):
        pools = sorted({one["pool"] for one in self.streams.values()})
        port_of = self.ports
        (self.folder / "cfg").write_text(CONFIG.format(
            folder=self.folder, sink_port=self.sink_port, slots=self.slots,
            body_cache=self.body_cache, limits=self.limits, tls=self.tls,
            each=self.each,
            events=self._events,
            listeners=",\n".join(
                f'{{ name = "{name}"; address = "127.0.0.1:{port_of[name]}"; '
                'tls = "plain"; require_auth = false; '
                f'allow_auth_without_tls = true; account = "{name}"; '
                "max_connections_per_ip = 10000; max_connections = 10000; }"
                for name in self.streams),
            accounts=",\n".join(
                f'{{ name = "{name}"; stream = "{name}"; '
                f'declared = "always"; password = "{HASH}"; '
                'from_domains = ( "bench.test" ); }' for name in self.streams),
            sources='{ name = "s1"; address = "127.0.0.1"; '
                    'ehlo = "bench.sendyard.test"; }',
            pools=", ".join(f'{{ name = "{pool}"; sources = ( "s1" ); }}'
                            for pool in pools),
            routes=", ".join(f'{{ name = "{pool}"; pool = "{pool}"; }}'
                             for pool in pools),
            streams=",\n".join(
                f'{{ name = "{name}"; route = "{one["pool"]}"; '
                f'{one["config"]} }}' for name, one in self.streams.items())),
            encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in reversed(list(self.processes)):
            self.stop(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    # processes

    def spawn(self, name, program, *words):
        path = self.bin / program
        with open(self.folder / f"{name}.out", "wb") as out, \
                open(self.folder / f"{name}.err", "ab") as err:
            self.processes[name] = subprocess.Popen(
                [path if path.exists() else program, *map(str, words)],
                stdout=out, stderr=err)
        return self.processes[name]

    def stop(self, name, how=signal.SIGTERM, seconds=60):
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def start_router(self):
        """Seconds until it listens."""
        begin = time.monotonic()
        self.spawn("router", "sendyard-router", "--config",
                   self.folder / "cfg")
        port = next(iter(self.ports.values()))
        while not listens(port):
            if self.processes["router"].poll() is not None:
                raise RuntimeError((self.folder / "router.err").read_text())
            time.sleep(0.002)
        return time.monotonic() - begin

    def start_workers(self):
        for i in range(self.worker_count):
            self.spawn(f"worker{i}", "sendyard-worker", "--config",
                       self.folder / "cfg", "--name", f"w{i}")

    def stop_workers(self):
        for name in [one for one in self.processes
                     if one.startswith("worker")]:
            self.stop(name)

    # load

    def start_load(self, stream, messages, connections=50, **more):
        """The generator; end_load() waits for it."""
        name = f"load{next(self._numbers)}"
        words = [f"--{key.replace('_', '-')}={value}"
                 for key, value in more.items()]
        if "rcpt" not in more:
            words.append("--rcpt=user%d@[127.0.0.1]")
        self.spawn(name, "sendyard-load", "--to",
                   f"127.0.0.1:{self.ports[stream]}", "--connections",
                   connections, "--messages", messages, "--ledger",
                   self.folder / f"{name}.ledger", "--patience", 600, *words)
        return name

    def end_load(self, name):
        """Its summary, and id -> UTC us of the 250."""
        process = self.processes.pop(name)
        if process.wait() != 0:
            raise RuntimeError((self.folder / f"{name}.err").read_text())
        summary = json.loads((self.folder / f"{name}.out").read_text())
        return summary, ledger(self.folder / f"{name}.ledger")

    def load(self, stream, messages, connections=50, **more):
        return self.end_load(
            self.start_load(stream, messages, connections, **more))

    def start_sink(self, *options):
        """Options of sendyard-sink."""
        name = f"sink{next(self._numbers)}"
        self.spawn(name, "sendyard-sink", "--listen",
                   f"127.0.0.1:{self.sink_port}", "--ledger",
                   self.folder / f"{name}.ledger", *options)
        wait_until(lambda: listens(self.sink_port), 10, "no sink")
        return name

    def end_sink(self, name):
        """id -> UTC us of its arrival."""
        self.stop(name)
        return ledger(self.folder / f"{name}.ledger")

    def start_receiver(self, tls=None, port=None):
        """A receiver that knows more than a sink does: CHUNKING, and TLS as in
        its own config; at the sink's port, unless at another."""
        port = port or self.sink_port
        words = ["PIPELINING", "SIZE", "8BITMIME", "CHUNKING",
                 *(["STARTTLS"] if tls else [])]
        config = self.folder / "receiver.cfg"
        config.write_text(RECEIVER.format(
            folder=self.folder, port=port, tls=tls or "",
            capabilities=", ".join(f'"{word}"' for word in words)))
        self.spawn("receiver", "sendyard-receiver", config)
        wait_until(lambda: listens(port), 10, "no receiver")

    def received(self, kind):
        """Lines of the receiver's record."""
        text = (self.folder / "receiver.record").read_text()
        whole = text[:text.rfind("\n") + 1].splitlines()
        return [one for one in map(json.loads, whole) if one["event"] == kind]

    # seeing

    def redis_calls(self):
        """Scripts that Redis was asked to run so far."""
        text = subprocess.run(
            ["redis-cli", "-s", self.folder / "redis", "info", "commandstats"],
            capture_output=True, text=True, check=True).stdout
        return sum(int(line.split("calls=")[1].split(",")[0])
                   for line in text.splitlines()
                   if line.startswith(("cmdstat_evalsha:", "cmdstat_eval:")))

    def ask(self, *words):
        done = subprocess.run(
            [self.bin / "sendyard", *words, "--json", "--config",
             self.folder / "cfg"], capture_output=True, check=True)
        return json.loads(done.stdout)

    def queued(self):
        return self.ask("status")["dispatch"]["messages"]

    def cpu_s(self, *names):
        """User and system time so far; by default of router and workers."""
        names = names or [one for one in self.processes
                          if one.startswith(("router", "worker"))]
        total = 0
        for name in names:
            stat = pathlib.Path(
                f"/proc/{self.processes[name].pid}/stat").read_text()
            fields = stat.rsplit(") ", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self, name="router"):
        rollup = pathlib.Path(
            f"/proc/{self.processes[name].pid}/smaps_rollup").read_text()
        line = next(one for one in rollup.splitlines()
                    if one.startswith("Rss:"))
        return int(line.split()[1]) * 1024

    def io(self, name="router"):
        """The kernel's counts of a process: write_bytes and others."""
        text = pathlib.Path(
            f"/proc/{self.processes[name].pid}/io").read_text()
        return {key: int(value) for key, value in
                (line.split(": ") for line in text.splitlines())}


def show(heads, rows):
    """A table; numbers to the right."""
    cells = [list(map(str, row)) for row in (heads, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    for row in cells:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width)
                        in enumerate(zip(row, widths))).rstrip())
    print(flush=True)
