"""cable - a line between two Unix sockets that can be cut and mended.

While it is cut nothing passes and nobody is told: both ends keep their sockets,
as on a network that drops packets. What was under way arrives when it is mended.
"""

import contextlib
import socket
import threading

BYTES = 65536


class Cable:
    def __init__(self, listen, to):
        """Paths: one that is made, and one where somebody listens."""
        self._to = str(to)
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(listen))
        self._door.listen()
        self._whole = threading.Event()
        self._whole.set()
        self._sockets = [self._door]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        self._whole.clear()

    def mend(self):
        self._whole.set()

    def close(self):
        self.mend()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._door.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._to)
                self._sockets += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=pair,
                                     daemon=True).start()

    def _carry(self, source, sink):
        with contextlib.suppress(OSError):
            while True:
                self._whole.wait()
                bytes_ = source.recv(BYTES)
                self._whole.wait()
                if not bytes_:
                    break
                sink.sendall(bytes_)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
