"""processes - what /proc knows of the processes that a test started."""

import os
from pathlib import Path


def _read(pid, name):
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _all():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def parent(pid):
    """0 when it is gone or a zombie."""
    state = status(pid)
    if not state or state["State"].startswith("Z"):
        return 0
    return int(state["PPid"])


def status(pid):
    """/proc/PID/status by key; empty when there is no such process."""
    lines = _read(pid, "status").splitlines()
    return {key: value.strip() for key, value in
            (line.split(":", 1) for line in lines if ":" in line)}


def comm(pid):
    return _read(pid, "comm").strip()


def cpu_seconds(pid):
    """What it has computed so far, in user and kernel mode."""
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def command_line(pid):
    return _read(pid, "cmdline").split("\0")[:-1]


def alive(pid):
    return parent(pid) != 0


def children(pid):
    return [each for each in _all() if parent(each) == pid]


def naming(text):
    """Live processes whose command line holds the text."""
    return [pid for pid in _all()
            if any(text in word for word in command_line(pid)) and alive(pid)]
