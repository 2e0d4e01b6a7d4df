"""hosts - hosts of a test's own: network namespaces on one bridge.

    with Hosts() as hosts:
        hosts.add("worker-1", 11)
        hosts.start("worker-1", "name", [program, ...], log)
        hosts.cut("worker-1")

A host has the address 172.16.N.LOW and what add_address() gives it. N is the
number of a loopback network that the test has locked, so that several can run.
"""

import contextlib
import ctypes
import os
import subprocess

from support.net import Net

CLONE_NEWNET = 0x40000000
SWITCH = "switch"


def are_permitted():
    """Whether this machine lets us make network namespaces, and cables."""
    name = f"yard-{os.getpid()}-probe"
    inside = ["ip", "netns", "exec", name]
    steps = (["ip", "netns", "add", name],
             [*inside, "ip", "link", "add", "bridge", "type", "bridge"],
             [*inside, "ip", "link", "add", "eth0", "type", "veth", "peer",
              "name", "eth1"],
             [*inside, "tc", "qdisc", "add", "dev", "eth0", "root", "tbf",
              "rate", "64kbit", "burst", "4kb", "latency", "2s"])
    permitted = all(subprocess.run(step, capture_output=True,
                                   check=False).returncode == 0
                    for step in steps)
    subprocess.run(["ip", "netns", "del", name], capture_output=True,
                   check=False)
    return permitted


def _ip(*words):
    subprocess.run(["ip", *map(str, words)], check=True, capture_output=True)


class Hosts:
    def __enter__(self):
        self.net = Net()
        self.number = int(self.net.prefix.split(".")[1])
        self._hosts = []
        self._processes = []
        try:
            self._make(SWITCH)
            self._inside(SWITCH, "ip", "link", "add", "bridge", "type",
                         "bridge")
            self._inside(SWITCH, "ip", "link", "set", "bridge", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for host in self._hosts:
            _ip("netns", "del", self._space(host))
        self.net.release()

    def _space(self, host):
        return f"yard-{self.number}-{host}"

    def _make(self, host):
        _ip("netns", "add", self._space(host))
        self._hosts.append(host)
        self._inside(host, "ip", "link", "set", "lo", "up")

    def _inside(self, host, *words):
        subprocess.run(self.words(host, words), check=True,
                       capture_output=True)

    def words(self, host, words):
        """A command, to be run on that host."""
        return ["ip", "netns", "exec", self._space(host), *map(str, words)]

    def address(self, low):
        return f"172.16.{self.number}.{low}"

    def add(self, host, low):
        self._make(host)
        port = f"to-{low}"
        _ip("link", "add", "eth0", "netns", self._space(host), "type", "veth",
            "peer", "name", port, "netns", self._space(SWITCH))
        self._inside(SWITCH, "ip", "link", "set", port, "master", "bridge")
        self._inside(SWITCH, "ip", "link", "set", port, "up")
        self._inside(host, "ip", "address", "add",
                     f"{self.address(low)}/24", "dev", "eth0")
        self._inside(host, "ip", "link", "set", "eth0", "up")
        self._port = {**getattr(self, "_port", {}), host: port}

    def add_address(self, host, low):
        self._inside(host, "ip", "address", "add", f"{self.address(low)}/24",
                     "dev", "eth0")

    def remove_address(self, host, low):
        self._inside(host, "ip", "address", "del", f"{self.address(low)}/24",
                     "dev", "eth0")

    def own_network(self, host, network, low):
        """All of `network` is at that host; the others know."""
        self._inside(host, "ip", "route", "add", "local", network, "dev", "lo")
        for other in self._hosts:
            if other not in (SWITCH, host):
                self._inside(other, "ip", "route", "add", network, "via",
                             self.address(low))

    def cut(self, host):
        """Its cable is pulled."""
        self._inside(SWITCH, "ip", "link", "set", self._port[host], "down")

    def mend(self, host):
        self._inside(SWITCH, "ip", "link", "set", self._port[host], "up")

    def slow(self, host, rate):
        """What it sends leaves at this rate ("64kbit"), with a queue of 2 s."""
        self._inside(host, "tc", "qdisc", "replace", "dev", "eth0", "root",
                     "tbf", "rate", rate, "burst", "4kb", "latency", "2s")

    def start(self, host, words, log):
        """A process on that host; its Popen. It ends with the hosts."""
        with open(log, "ab") as out:
            process = subprocess.Popen(self.words(host, words), stdout=out,
                                       stderr=out, stdin=subprocess.DEVNULL)
        self._processes.append(process)
        return process

    @contextlib.contextmanager
    def at(self, host):
        """New sockets of this thread are that host's."""
        setns = ctypes.CDLL(None, use_errno=True).setns
        with open("/proc/thread-self/ns/net", "rb") as home, \
                open(f"/run/netns/{self._space(host)}", "rb") as there:
            if setns(there.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                setns(home.fileno(), CLONE_NEWNET)
