"""internet - the simulated internet around one yard: resolver, receivers."""

import json
import os
import signal
import subprocess
import threading
from email import message_from_bytes, policy

from support import processes
from support.lines import JsonLines
from support.places import INTERNET, program
from support.wait import wait_until

# The senders' own domains, where reports of failure arrive, and a name that
# leads back to the platform itself.
ZONES = {
    "acme.test": "@ MX 10 mx.odd.test.\nnews MX 10 mx.odd.test.\n",
    "globex.test": "@ MX 10 mx.odd.test.\n",
    "sendyard.test": "@ MX 10 inside\ninside A 127.20.0.1\n",
    "bench.test": "@ MX 10 mx\nmx A 127.20.200.1\n",
    "fast.test": "@ MX 10 mx\nmx A 127.20.201.1\n",
    "both.test": "@ MX 10 mx\nmx A 127.20.16.2\nmx AAAA ::1\n",
    # Its first host accepts, and never speaks.
    "half.test": "@ MX 5 mx1\n@ MX 10 mx2\n"
                 "mx1 A 127.20.6.1\nmx2 A 127.20.16.1\n",
}
HEAD = "$ORIGIN {name}.\n$TTL 60\n@ SOA ns.test. root.test. 1 1 1 1 5\n@ NS ns.test.\n"


class Internet:
    def __init__(self, folder, net, keep_messages=True, within=()):
        """`within`: words before each command, that run it elsewhere."""
        self._within = list(within)
        self.folder = folder
        self.net = net
        self.dns = f"{net.address('0.53')}:5353"
        self._record = JsonLines(folder / "record.jsonl")
        self._env = dict(
            os.environ, SIM_NET=net.prefix, SIM_DNS=self.dns,
            SIM_ZONES=str(folder / "senders"),
            SIM_EML="yes" if keep_messages else "no",
            SIM_RECEIVER=program("sendyard-receiver"))

    def start(self):
        senders = self.folder / "senders"
        senders.mkdir(parents=True)
        for name, lines in ZONES.items():
            (senders / f"{name}.zone").write_text(HEAD.format(name=name)
                                                  + lines)
        self._run("start")

    def stop(self):
        self._run("stop")

    def _run(self, script):
        with open(self.folder / "script.log", "ab") as log:
            subprocess.run([*self._within, INTERNET / script,
                            self.folder], env=self._env,
                           stdout=log, stderr=log, check=True, timeout=60)

    def pid(self, name):
        """Of "unbound" or "sendyard-receiver"."""
        for line in (self.folder / "pids").read_text().splitlines():
            number, word = line.split(" ", 1)
            if name.startswith(word) and processes.alive(int(number)):
                return int(number)
        raise LookupError(name)

    def kill_resolver(self):
        os.kill(self.pid("unbound"), signal.SIGKILL)

    def start_resolver(self):
        """Again, after kill_resolver(); stop() will end it."""
        with open(self.folder / "unbound.out.log", "ab") as log:
            resolver = subprocess.Popen(
                ["unbound", "-d", "-c", self.folder / "unbound.conf"],
                stdout=log, stderr=log)
        # Somebody must hear of its end, or it stays a zombie.
        threading.Thread(target=resolver.wait, daemon=True).start()
        with open(self.folder / "pids", "a", encoding="ascii") as pids:
            pids.write(f"{resolver.pid} unbound\n")

    def events(self, kind, **wanted):
        """Lines of the record of this kind and with these members."""
        return [item for item in self._record.items()
                if item["event"] == kind
                and all(item.get(key) == value
                        for key, value in wanted.items())]

    def messages(self, **wanted):
        return self.events("message", **wanted)

    def message(self, line):
        """The message itself, of a line of the record, parsed."""
        path = self.folder / "eml" / f"{line['id']}.eml"
        return message_from_bytes(path.read_bytes(), policy=policy.default)

    def stats(self):
        """The receivers' counts as of now."""
        path = self.folder / "stats.json"
        path.unlink(missing_ok=True)
        os.kill(self.pid("sendyard-receiver"), signal.SIGUSR1)

        def read():
            try:
                return json.loads(path.read_text())
            except (FileNotFoundError, json.JSONDecodeError):
                return None
        return wait_until(read, 5, "the receiver wrote no stats")
