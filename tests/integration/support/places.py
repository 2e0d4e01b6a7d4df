"""places - where the project, its programs and its test tools are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("SENDYARD_BUILD", ROOT / "build" / "release"))
BIN = BUILD / "bin"
EXAMPLE = ROOT / "config" / "examples" / "quickstart.cfg"
INTERNET = ROOT / "tests" / "tools" / "internet"
AUDIT = ROOT / "tests" / "tools" / "load" / "audit"


def program(name):
    return str(BIN / name)
