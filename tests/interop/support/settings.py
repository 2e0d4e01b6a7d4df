"""settings - where the server under test is, read once from INTEROP_*."""

import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

DEFAULT_CACHE = "/var/cache/sendyard-interop"


@dataclass(frozen=True)
class Settings:
    """One server and one account on it. `record` is None when nobody
    watches the receiving end; arrivals are then not checked."""

    host: str
    port_starttls: int
    port_tls: int
    user: str
    password: str
    sender: str
    recipient: str
    ca: str
    record: Path | None
    arrival_wait_s: float
    cache: Path

    @property
    def domain(self):
        """The domain that the account may send from."""
        return self.sender.partition("@")[2]


def load():
    """Reads the environment; ends the program with status 2 when a
    variable is missing, since no case could mean anything then."""
    try:
        record = os.environ.get("INTEROP_RECORD")
        return Settings(
            host=os.environ["INTEROP_HOST"],
            port_starttls=int(os.environ["INTEROP_PORT_STARTTLS"]),
            port_tls=int(os.environ["INTEROP_PORT_TLS"]),
            user=os.environ["INTEROP_USER"],
            password=os.environ["INTEROP_PASSWORD"],
            sender=os.environ["INTEROP_FROM"],
            recipient=os.environ["INTEROP_TO"],
            ca=os.environ["INTEROP_CA"],
            record=Path(record) if record else None,
            arrival_wait_s=float(
                os.environ.get("INTEROP_ARRIVAL_WAIT_S", "15")),
            cache=Path(os.environ.get("INTEROP_CACHE", DEFAULT_CACHE)),
        )
    except KeyError as missing:
        sys.exit(fail_text(f"{missing.args[0]} is not set"))
    except ValueError as bad:
        sys.exit(fail_text(str(bad)))


def fail_text(reason):
    """Prints the reason and returns the status for a wrong call."""
    print(f"interop: {reason}; see README.md", file=sys.stderr)
    return 2


def new_token(name):
    """A word that appears in one message of one run only."""
    return f"{name.replace('/', '-')}-{secrets.token_hex(6)}"
