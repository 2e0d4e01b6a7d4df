"""report - one line per case, and the closing count."""

import threading


class Report:
    """Prints each result as it comes; safe to use from several threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = {"ok": 0, "not ok": 0, "skip": 0}

    def ok(self, name, detail=""):
        self._line("ok", name, detail)

    def not_ok(self, name, reason):
        self._line("not ok", name, reason)

    def skip(self, name, reason):
        self._line("skip", name, reason)

    def close(self):
        """Prints the count; returns the exit status. No case at all is a
        failure: it would mean that nothing was tried."""
        ok, bad, skipped = (self._counts[k] for k in ("ok", "not ok", "skip"))
        print(f"{ok} passed, {bad} failed, {skipped} skipped", flush=True)
        return 0 if ok and not bad else 1

    def _line(self, verdict, name, detail):
        one_line = " ".join(str(detail).split())
        with self._lock:
            self._counts[verdict] += 1
            print(f"{verdict} {name} {one_line}".rstrip(), flush=True)
