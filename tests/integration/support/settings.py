"""settings - the config of one yard: the quickstart example, moved.

The example is the base so that what ships is what is tested. Changes are
exact replacements of its text: one that finds nothing is an error, so that a
test never runs on other settings than it says.
"""

import re

from support.places import EXAMPLE

PASSWORD = "quickstart"  # of every account in the example
SUBMISSION, SUBMISSIONS = 1587, 1465

RETRY = ('retry = "1m,5m,15m,1h,4h";', 'retry = "1s";')
FIRST_RETRY = ('retry = "1m,5m,15m,1h";', 'retry = "1s";')
DEFAULT_LIMITS = ('{ max_smtp_out = 10; idle_timeout = "5s"; '
                  'prohibited = ( ); },')
# Long enough for the slow receivers, short enough for a test.
QUICK_LIMITS = """{ max_smtp_out = 10; idle_timeout = "2s"; prohibited = ( );
      connect_timeout = "3s"; greeting_timeout = "8s"; hello_timeout = "8s";
      mail_timeout = "8s"; rcpt_timeout = "8s"; data_timeout = "8s";
      data_send_timeout = "8s"; data_end_timeout = "8s"; },"""


def replace(text, old, new):
    if old not in text:
        raise ValueError(f"the config has no {old!r}")
    return text.replace(old, new)


def make(net, dns, run_dir, host, changes=()):
    """The text of the config. `changes` are pairs (old, new) in the addresses
    of the example, which move to the yard's network at the end; listeners
    move to `host`."""
    text = EXAMPLE.read_text()
    for old, new in (('run_dir = "run"', f'run_dir = "{run_dir}"'),
                     ('min_free = "64MB"', 'min_free = "1MB"'),
                     (DEFAULT_LIMITS, QUICK_LIMITS), RETRY, FIRST_RETRY,
                     *changes):
        text = replace(text, old, new)
    text = replace(text, "127.20.0.53:5353", dns)
    text = text.replace('"127.0.0.1:', f'"{host}:')
    return re.sub(r'"127\.10\.(\d)\.', rf'"{net.prefix}.10\1.', text)
