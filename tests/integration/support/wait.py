"""wait - bounded waits: poll until something holds, or say what did not."""

import time

STEP_S = 0.05


class NotInTime(AssertionError):
    """What was waited for did not happen."""


def wait_until(look, seconds, what):
    """Returns the first true value of look(); fails after `seconds`. `what`
    is text, or a function that says how things stand at the end."""
    end = time.monotonic() + seconds
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() >= end:
            text = what() if callable(what) else what
            raise NotInTime(f"not within {seconds} s: {text}")
        time.sleep(STEP_S)
