"""envelope - headers, charsets, encodings and MIME parts of one mail.

The rates of the headers overlap between the labels on purpose: a notice may
carry list headers and a campaign may carry none.
"""
import base64
import email.utils
import quopri

#                        transactional  bulk  lifecycle
RATES = {
    "List-Unsubscribe":         (0.15, 0.62, 0.40),
    "List-Unsubscribe-Post":    (0.05, 0.42, 0.26),
    "List-Id":                  (0.08, 0.27, 0.15),
    "Feedback-ID":              (0.18, 0.36, 0.30),
    "Precedence":               (0.08, 0.14, 0.03),
    "Auto-Submitted":           (0.25, 0.06, 0.18),
    "X-Auto-Response-Suppress": (0.20, 0.08, 0.06),
    "X-Mailer":                 (0.20, 0.28, 0.26),
    "Reply-To":                 (0.28, 0.25, 0.25),
    "X-Entity-Ref-ID":          (0.12, 0.10, 0.10),
    "X-Campaign-Id":            (0.04, 0.12, 0.08),
}
COLUMN = {"transactional": 0, "bulk": 1, "lifecycle": 2}
PROGRAMS = ["Apple Mail (2.3776.700.51)", "Microsoft Outlook 16.0",
            "iPhone Mail (21F90)", "Evolution 3.52.1", "KMail/6.1"]
AGENTS = ["Mozilla Thunderbird", "Mutt/2.2.12", "NeoMutt/20240425", "K-9 Mail"]
REPLIES = ("Re:", "AW:", "RE:", "R:", "SV:", "Odp:", "回复")
LONGEST = 900        # a longer line cannot go out as 7bit or 8bit


def fits(text, charset):
    try:
        text.encode(charset)
        return True
    except UnicodeEncodeError:
        return False


def encode_word(text, charset, style):
    """RFC 2047: one encoded word of a short text."""
    raw = text.encode(charset)
    if style == "b":
        return f"=?{charset}?B?{base64.b64encode(raw).decode()}?="
    quoted = "".join(chr(c) if chr(c).isascii() and chr(c).isalnum()
                     else "_" if c == 32 else f"={c:02X}" for c in raw)
    return f"=?{charset}?Q?{quoted}?="


def encode_header(text, charset, style):
    """RFC 2047 words of at most 75 octets, folded; ASCII stays as it is."""
    if text.isascii():
        return text
    words, rest = [], text
    while rest:
        size = len(rest)
        while len(encode_word(rest[:size], charset, style)) > 75:
            size -= 1
        words.append(encode_word(rest[:size], charset, style))
        rest = rest[size:]
    return "\n ".join(words)


def address(name, addr, charset, style):
    if not name:
        return addr
    if name.isascii():
        return f'"{name}" <{addr}>'
    return f"{encode_header(name, charset, style)} <{addr}>"


def encode_body(text, charset, wish):
    """(transfer encoding, bytes): the wish of the brand, when it can be."""
    raw = text.encode(charset)
    long = max(map(len, raw.split(b"\n"))) > LONGEST
    if charset == "iso-2022-jp" or (raw.isascii() and wish in ("8bit", "7bit")):
        return ("7bit", raw) if not long else ("base64", base64.encodebytes(raw))
    if wish == "base64":
        return "base64", base64.encodebytes(raw)
    if wish == "8bit" and not long:
        return "8bit", raw
    return "quoted-printable", quopri.encodestring(raw)


def text_part(kind, text, charset, wish):
    encoding, raw = encode_body(text, charset, wish)
    head = (f"Content-Type: text/{kind}; charset={charset}\n"
            f"Content-Transfer-Encoding: {encoding}\n\n")
    return head.encode() + raw


def multipart(kind, parts, values):
    mark = values.rng.choice(["=_", "----=_Part_", "--_", "b1_"]) \
        + values.token(16, 24)
    raw = f'Content-Type: multipart/{kind}; boundary="{mark}"\n\n'.encode()
    for part in parts:
        raw += f"--{mark}\n".encode() + part.rstrip(b"\n") + b"\n\n"
    return raw + f"--{mark}--\n".encode()


def attachment(name, values):
    """A file that looks like what its name says only from afar."""
    raw = values.rng.randbytes(values.rng.randint(200, 1800))
    kind = {"pdf": "application/pdf", "png": "image/png", "ics": "text/calendar",
            "jpg": "image/jpeg"}.get(name.rsplit(".", 1)[-1],
                                     "application/octet-stream")
    return (f'Content-Type: {kind}; name="{name}"\n'
            f'Content-Disposition: attachment; filename="{name}"\n'
            "Content-Transfer-Encoding: base64\n\n").encode() \
        + base64.encodebytes(raw)


def machine_headers(template, values, habit):
    """Headers of a sending program; habit is the same for a whole template."""
    column = COLUMN[template["label"]]
    domain = values.brand["domain"]
    token = values.token(8, 24)
    made = {
        "List-Unsubscribe": f"<https://{domain}/u/{token}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"<{template['name']}.{domain}>",
        "Feedback-ID": f"{habit.randrange(9999)}:{template['kind']}:{domain}",
        "Precedence": habit.choice(["bulk", "list", "bulk"]),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": habit.choice(["All", "OOF, AutoReply"]),
        "X-Mailer": habit.choice(["PHPMailer 6.9.1", "Mailer 4.2", "nodemailer",
                                  "SwiftMailer", "Postal"]),
        "Reply-To": f"{habit.choice(['support', 'reply', 'hello'])}@{domain}",
        "X-Entity-Ref-ID": token,
        "X-Campaign-Id": f"{habit.randrange(99999)}",
    }
    return [(key, made[key]) for key in RATES
            if habit.random() < RATES[key][column]]


def human_headers(template, values, habit):
    """Headers of a mail program, or of a mailing list that passed it on."""
    domain = values.brand["domain"]
    found = []
    if template["subject"].startswith(REPLIES) \
            or habit.random() < 0.15:
        parent = f"<{values.token(18, 28)}@{domain}>"
        found.append(("In-Reply-To", parent))
        if habit.random() < 0.7:
            found.append(("References", parent))
    if values.brand.get("list") and habit.random() < 0.7:
        found += [("List-Id", f"<{values.brand['list']}.{domain}>"),
                  ("Precedence", "list"),
                  ("List-Unsubscribe", f"<mailto:leave@{domain}>")]
    if habit.random() < 0.25:
        found.append(("Cc", values.address(values.person())))
    if habit.random() < 0.6:
        found.append(habit.choice([("X-Mailer", habit.choice(PROGRAMS)),
                                   ("User-Agent", habit.choice(AGENTS))]))
    return found


def message(template, values, sender, subject, part, habit, code):
    """The whole mail; code is (charset, style) of its encoded words."""
    human = template["label"] == "personal"
    extra = (human_headers if human else machine_headers)(
        template, values, habit)
    to_name = values.get("name") if habit.random() < 0.5 else ""
    if not fits(to_name, code[0]):
        to_name = ""
    zone = habit.choice(["+0000", "+0200", "-0500", "+0100", "+0900"])
    when = email.utils.format_datetime(values.day)[:-5] + zone
    head = [("From", address(*sender, *code)),
            ("To", address(to_name, values.rcpt, *code)),
            ("Subject", encode_header(subject, *code)), ("Date", when),
            ("Message-ID", f"<{values.token(16, 30)}@{values.brand['domain']}>"),
            ("MIME-Version", "1.0")] + extra
    if habit.random() < 0.3:
        habit.shuffle(head)
    lines = "".join(f"{key}: {value}\n" for key, value in head)
    return lines.encode() + part
