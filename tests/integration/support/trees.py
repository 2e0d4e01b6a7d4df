"""trees - messages of every shape that has bytes over 127, and what a reader
sees in them: Python's email module, which shares no code with the platform."""

import random
from email import message_from_bytes, message_from_string, policy

LINES = ["", " ", ".", "..", "-", "--", "-- ", "From me", "=", "=C3=BC",
         "plain words", "blanks at the end  ", "a tab\t", "x" * 75, "x" * 76,
         "x" * 74 + "-- x", "x" * 75 + "--b", "x" * 990, "Grüße aus Köln",
         "ü", "Привет, мир", "日本語の文", "ü " * 40, "日" * 300]
FIELDS = ["Subject", "X-Note", "Comments"]
TEXTS = ["Grüße", "Re: Grüße", "ein langer Betreff mit vielen Wörtern, der "
         "über eine Zeile hinausgeht, und über eine zweite: ÄÖÜ äöü ß, Ende",
         "日本語 und ASCII und 日本語", "plain", "日" * 60]
NAMES = ['"Jörg Müller" <app@acme.test>', "Jörg Müller <app@acme.test>",
         '"Müller, \\"Jörg\\"" <app@acme.test>', "app@acme.test"]
FILES = ["Größe.pdf", "a b ü.txt", "日本.png", "x;y=ü.txt"]


def _content(rng):
    end = rng.choice(["", "\r\n"])
    lines = [rng.choice(LINES) for _ in range(rng.randint(0, 8))]
    return ("\r\n".join(lines) + end).encode()


def _leaf(rng):
    kind, charset = rng.choice([("text/plain", "utf-8"),
                                ("text/html", "utf-8"),
                                ("text/plain", "iso-8859-1"),
                                ("application/octet-stream", None)])
    head = f"Content-Type: {kind}"
    if charset:
        head += f"; charset={charset}"
    if rng.random() < 0.3:
        head += ("\r\nContent-Disposition: attachment; "
                 f'filename="{rng.choice(FILES)}"')
    encoding = rng.choice(["8bit", "binary", None])
    if encoding:
        head += f"\r\nContent-Transfer-Encoding: {encoding}"
    body = _content(rng)
    if charset == "iso-8859-1":
        body = body.decode().encode("latin-1", "replace")
    return head.encode(), body


def _message(rng, depth):
    text = f"{rng.choice(FIELDS)}: {rng.choice(TEXTS)}\r\n"
    text += f"From: {rng.choice(NAMES)}\r\nMIME-Version: 1.0\r\n"
    head, body = _entity(rng, depth)
    return text.encode() + head + b"\r\n\r\n" + body


def _multipart(rng, depth):
    kind = rng.choice(["mixed", "alternative", "related"])
    # Each begins with the one around it, as some real programs have it.
    boundary = "=_b" + "x" * (10 - depth)
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"'
    line = f"--{boundary}".encode()
    body = rng.choice([b"", b"pre\r\n"])
    for _ in range(rng.randint(1, 3)):
        part_head, part_body = _entity(rng, depth - 1)
        body += line + b"\r\n" + part_head + b"\r\n\r\n" + part_body + b"\r\n"
    return head.encode(), body + line + b"--\r\n"


def _entity(rng, depth):
    if depth > 0 and rng.random() < 0.5:
        return _multipart(rng, depth)
    if depth > 0 and rng.random() < 0.3:
        return b"Content-Type: message/rfc822", _message(rng, depth - 1)
    return _leaf(rng)


def grow(seed):
    """The header without From, To and Subject, and the body, as bytes."""
    rng = random.Random(seed)
    head, body = _entity(rng, 4)
    note = f"X-Note: {rng.choice(TEXTS)}\r\nMIME-Version: 1.0\r\n"
    end = b"" if body.endswith(b"\r\n") else b"\r\n"  # SMTP has no other
    return note.encode() + head + b"\r\n\r\n" + body + end


def _names(part):
    """Fields that people see, as text; raw ones are UTF-8."""
    found = [(name, " ".join(str(part[name]).split()))
             for name in (*FIELDS, "From", "To") if name in part]
    return [*found, part.get_content_type(), part.get_content_charset(),
            part.get_filename()]


def seen(raw):
    """What a reader sees of a message: its tree, fields, and contents."""
    # Fields are read from text, so that raw UTF-8 counts as what it is;
    # contents from bytes.
    text = message_from_string(raw.decode("utf-8", "surrogateescape"),
                               policy=policy.default)
    data = message_from_bytes(raw, policy=policy.compat32)
    return [(_names(named), None if part.is_multipart()
             else part.get_payload(decode=True))
            for named, part in zip(text.walk(), data.walk(), strict=True)]
