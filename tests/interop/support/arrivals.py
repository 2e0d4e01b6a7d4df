"""arrivals - what the simulated receiver says it has got.

The record is a file of JSON lines that somebody else appends to. A last
line without its newline is still being written and is left for later.
"""

import json
import time

POLL_S = 0.1


class Arrivals:
    """Finds messages by the token in their Subject. With path None every
    question is answered "as expected": nobody watches the far end."""

    def __init__(self, path):
        self.path = path

    def problem(self, token, recipient, wait_s):
        """Waits for the message; None once it has arrived exactly once for
        `recipient`, else what is wrong."""
        if self.path is None:
            return None
        deadline = time.monotonic() + wait_s
        while not (found := self.find(token)):
            if time.monotonic() > deadline:
                return "accepted, but not received in time"
            time.sleep(POLL_S)
        if len(found) > 1:
            return f"received {len(found)} times"
        rcpts = [rcpt.strip("<>").lower() for rcpt in found[0]["rcpts"]]
        if recipient.lower() not in rcpts:
            return f"received for {rcpts}, not for {recipient}"
        return None

    def find(self, token):
        """The events of all messages so far whose Subject has the token."""
        if self.path is None or not self.path.exists():
            return []
        text = self.path.read_bytes().decode("utf-8", "replace")
        whole = text[: text.rfind("\n") + 1]
        events = (json.loads(line) for line in whole.split("\n")
                  if token in line)
        return [event for event in events
                if event.get("event") == "message"
                and token in str(event.get("subject"))]
