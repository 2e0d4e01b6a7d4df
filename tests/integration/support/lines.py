"""lines - a file of JSON lines that grows while it is read."""

import json


class JsonLines:
    """Remembers how far it has read, so that looking often is cheap. Where a
    writer may be killed amid a line (`may_tear`) what is no JSON is left out."""

    def __init__(self, path, may_tear=False):
        self._path = path
        self._may_tear = may_tear
        self._at = 0
        self._items = []

    def items(self):
        """Everything so far; a torn last line is left for the next look."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._at)
                fresh = file.read()
        except FileNotFoundError:
            return self._items
        whole = fresh[:fresh.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.splitlines():
            try:
                self._items.append(json.loads(line))
            except json.JSONDecodeError:
                if not self._may_tear:
                    raise
        return self._items
