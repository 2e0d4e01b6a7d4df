"""net - a loopback network of one's own: 127.N.0.0/16.

Several yards run at once, each on other addresses. A lock on a file says
which N is taken; it goes with the process that holds it. A network on which some
receiver still listens, left by a test that was killed, is passed over.
"""

import fcntl
import os
import socket

FIRST, LAST = 30, 99
LOCKS = "/tmp/sendyard-test-nets"


def _is_quiet(prefix):
    """Nobody is bigmail there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((f"{prefix}.1.1", 25))
        except OSError:
            return False
        return True


class Net:
    def __init__(self):
        os.makedirs(LOCKS, exist_ok=True)
        for number in range(FIRST, LAST + 1):
            file = open(f"{LOCKS}/{number}", "w", encoding="ascii")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                continue
            if _is_quiet(f"127.{number}"):
                self._lock = file
                self.prefix = f"127.{number}"
                return
            file.close()
        raise RuntimeError("no loopback network is free")

    def address(self, low):
        """The address whose last two bytes are given: "1.2"."""
        return f"{self.prefix}.{low}"

    def release(self):
        self._lock.close()
