#!/usr/bin/python3 -B
"""smuggling - nothing but CR LF dot CR LF ends a message.

SMTP smuggling (CVE-2023-51764, -51765, -51766) hides a second transaction in
the text of the first, behind something that only some servers take for the
end of DATA. Every form of that mark is sent here in a session of its own,
followed by a whole transaction and then by the true end. Right is exactly
one reply to all of it; and 550 5.5.2 when it holds a bare CR or LF
(`--bare-newline normalise`: for a listener that is set to mend those).
"""

import argparse
import contextlib
import itertools
import re
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from support.arrivals import Arrivals
from support.report import Report
from support.settings import load, new_token
from support.wire import Closed, logged_in, message

SESSIONS_AT_ONCE = 3
VARIANTS_MIN = 150
TRUE_END = b"\r\n.\r\n"
BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")

# What stands in for a line end on either side of the dot.
ENDS = (b"\r\n", b"\r", b"\n", b"\n\r", b"\r\r\n", b"\0", b"\v", b"\f",
        "\u0085".encode(), b"\x85", "\u2028".encode(), "\u2029".encode(),
        b"\x1a", b"\x1c")
# Marks that are more than a dot between two line ends.
ODD = (b"\r\n.\0\r\n", b"\r\n\0.\r\n", b"\r\n.\r\0\n", b"\r\0\n.\r\n",
       b"\r\n. \r\n", b"\r\n.\t\r\n", b"\r\n .\r\n", b"\r\n..\r\n",
       b"\r\n.\\r\\n", b"\r\n\xff.\r\n", b"\r\n.\xff\r\n",
       b"\r\n\xef\xbb\xbf.\r\n", "\r\n\uff0e\r\n".encode(),
       "\r\n\u3002\r\n".encode(), b"\r\n\xae\r\n", b"\x8d\x8a.\x8d\x8a",
       b"\r\n=2E\r\n", b"=0D=0A.=0D=0A", b"\r\n.=0D=0A",
       b"\r\n\b.\r\n", b"\r\n.\b\r\n", b"\r\n\x7f.\r\n", b"\r\n.\x7f\r\n",
       b"\r.\r\n.\r", b"\n.\n.\n", b"\r\n.\n.\r", b"\n\n.\n\n",
       b"\r\n.\n\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n", b"\r\n\r.\r\n",
       b"\r\n\n.\r\n")


@dataclass(frozen=True)
class Variant:
    """One mark; `split` sends each byte in a TLS record of its own."""

    mark: bytes
    split: bool = False

    @property
    def name(self):
        spelled = "".join(map(spell, self.mark.decode("latin-1")))
        return spelled + ("/split" if self.split else "")


def spell(char):
    """A readable name without spaces for one byte."""
    short = {"\r": "<CR>", "\n": "<LF>", "\0": "<NUL>", "\v": "<VT>",
             "\f": "<FF>", "\t": "<TAB>", " ": "<SP>"}
    if char in short:
        return short[char]
    if char.isascii() and unicodedata.category(char) != "Cc":
        return char
    return f"<{ord(char):02X}>"


def variants():
    """All marks but those that hold, or make with what is around them, the
    true one; those of CR, LF and dot alone also byte by byte."""
    around = (before + b"." + after
              for before, after in itertools.product(ENDS, ENDS))
    marks = [mark for mark in dict.fromkeys((*around, *ODD))
             if TRUE_END not in mark]
    split = [mark for mark in marks if set(mark) <= set(b"\r\n.")]
    return [*map(Variant, marks),
            *(Variant(mark, split=True) for mark in split)]


def smuggled(settings, token):
    """The transaction that must stay text. Its own end mark is the true end
    of the one message that there is."""
    return (f"MAIL FROM:<{settings.sender}>\r\n"
            f"RCPT TO:<{settings.recipient}>\r\n"
            "DATA\r\n").encode() + message(settings, token) + b".\r\n"


def try_variant(settings, variant, first, second, normalise):
    """Sends it; returns (problem or None, whether the message was taken)."""
    parts = [message(settings, first, b"text before the mark"),
             variant.mark, smuggled(settings, second)]
    with logged_in(settings) as line:
        for command, wanted in ((f"MAIL FROM:<{settings.sender}>", 250),
                                (f"RCPT TO:<{settings.recipient}>", 250),
                                ("DATA", 354)):
            reply = line.say(command)
            if reply.code != wanted:
                return f"{command.split(':')[0]}: {reply.text}", False
        for piece in pieces(variant, parts):
            line.write(piece)
        reply = line.hear()
        with contextlib.suppress(OSError):  # it may close after a refusal
            line.write(b"QUIT\r\n")
        more = line.hear_rest()
    return judge(reply, more, b"".join(parts), normalise), reply.code == 250


def pieces(variant, parts):
    """The parts as one write, or cut around each byte of the mark."""
    if not variant.split:
        return [b"".join(parts)]
    before, mark, after = parts
    return [before, *(bytes([byte]) for byte in mark), after]


def judge(reply, more, data, normalise):
    """What is wrong with these replies to this data, or None."""
    taken = [each for each in (reply, *more) if each.code == 250]
    if len(taken) > 1:
        return f"{len(taken)} messages or commands taken: {taken[1].text}"
    if [each for each in more if each.code not in (221, 421)]:
        return f"a second answer: {more[0].text}"
    if BARE.search(data) and not normalise and not reply.starts("550 5.5.2"):
        return f"bare CR or LF, yet: {reply.text}"
    if reply.code != 250 and reply.code // 100 != 5:
        return f"neither taken nor refused: {reply.text}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bare-newline", choices=("reject", "normalise"),
                        default="reject", help="how the listener is set")
    normalise = parser.parse_args().bare_newline == "normalise"
    settings = load()
    report = Report()
    arrivals = Arrivals(settings.record)
    todo = variants()
    assert len(todo) >= VARIANTS_MIN, "the table has shrunk"

    def attempt(variant):
        first, second = new_token("first"), new_token("smuggled")
        try:
            problem, taken = try_variant(settings, variant, first, second,
                                         normalise)
        except Closed:
            problem, taken = "closed without a reply", False
        except (OSError, ValueError) as error:
            problem, taken = f"{type(error).__name__}: {error}", False
        return variant, problem, first if taken else None, second

    with ThreadPoolExecutor(SESSIONS_AT_ONCE) as pool:
        results = list(pool.map(attempt, todo))
    settle(results, arrivals, settings)
    for variant, problem, _, second in results:
        if not problem and arrivals.find(second):
            problem = "the smuggled message arrived"
        if problem:
            report.not_ok(variant.name, problem)
        else:
            report.ok(variant.name)
    return report.close()


def settle(results, arrivals, settings):
    """Waits until the last message that was taken has arrived, so that a
    smuggled one, queued with it, had its time too."""
    for *_, first, _ in reversed(results):
        if first:
            arrivals.problem(first, settings.recipient,
                             settings.arrival_wait_s)
            return


if __name__ == "__main__":
    sys.exit(main())
