"""lines - a file of JSON lines that grows while it is read."""

import json


class JsonLines:
    """Remembers how far it has read, so that looking often is cheap."""

    def __init__(self, path):
        self._path = path
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
        self._items.extend(json.loads(line) for line in whole.splitlines())
        return self._items
