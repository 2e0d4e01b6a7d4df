"""reports - a delivery report read back, and held against RFC 3464.

read() takes the message that arrived apart with Python's email package and
checks all that the RFC says of its form; what it says of this or that delivery
is for the test.
"""

import re
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from email.utils import parsedate_to_datetime

PER_MESSAGE = {"Original-Envelope-Id", "Reporting-MTA", "DSN-Gateway",
               "Received-From-MTA", "Arrival-Date"}
PER_RECIPIENT = {"Original-Recipient", "Final-Recipient", "Action", "Status",
                 "Remote-MTA", "Diagnostic-Code", "Last-Attempt-Date",
                 "Final-Log-ID", "Will-Retry-Until"}
ACTIONS = {"failed": "5", "delayed": "4", "delivered": "2", "relayed": "2"}
TYPED = re.compile(r"[a-z0-9-]+; \S.*")
STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


@dataclass
class Report:
    message: object
    text: str  # for people
    about: dict  # the fields about the message
    recipients: list  # of dicts, the fields about each
    returned: object  # the last part


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def fields_of(block, known):
    """The fields of one block; each once, each known."""
    names = block.keys()
    check(len(set(names)) == len(names), f"a field is there twice: {names}")
    check(set(names) <= known, f"unknown: {set(names) - known}")
    return dict(block.items())


def check_message(about):
    """RFC 3464 section 2.2."""
    check(TYPED.fullmatch(about["Reporting-MTA"]), about["Reporting-MTA"])
    check(about["Reporting-MTA"].startswith("dns; "), about["Reporting-MTA"])
    if "Arrival-Date" in about:
        parsedate_to_datetime(about["Arrival-Date"])


def check_recipient(fields):
    """RFC 3464 section 2.3."""
    for name in ("Final-Recipient", "Action", "Status"):
        check(name in fields, f"no {name}: {fields}")
    for name in ("Final-Recipient", "Original-Recipient", "Remote-MTA",
                 "Diagnostic-Code"):
        if name in fields:
            check(TYPED.fullmatch(fields[name]), fields[name])
    check(fields["Action"] in ACTIONS, fields["Action"])
    check(STATUS.fullmatch(fields["Status"]), fields["Status"])
    for name in ("Last-Attempt-Date", "Will-Retry-Until"):
        if name in fields:
            parsedate_to_datetime(fields[name])
    if "Will-Retry-Until" in fields:
        check(fields["Action"] == "delayed", "only a delay is tried again")
    if fields["Action"] != "failed":  # expired mail may keep its 4.y.z
        check(fields["Status"][0] == ACTIONS[fields["Action"]], fields)


def read(raw):
    """A Report, or AssertionError. `raw` is the message's bytes."""
    check(all(len(line) <= 998 for line in raw.split(b"\r\n")), "long line")
    check(b"\n" not in raw.replace(b"\r\n", b""), "a bare LF")
    message = BytesParser(policy=policy.default).parsebytes(raw)
    check(not message.defects, message.defects)
    check(message.get_content_type() == "multipart/report",
          message.get_content_type())
    check(message.get_param("report-type") == "delivery-status",
          message["Content-Type"])
    for name in ("From", "To", "Subject", "Date", "Message-ID",
                 "MIME-Version"):
        check(len(message.get_all(name, [])) == 1, f"{name} is not there once")
    check(message["Auto-Submitted"].startswith("auto-"), "Auto-Submitted")
    parts = message.get_payload()
    check(len(parts) == 3, f"{len(parts)} parts")
    check(parts[0].get_content_type() == "text/plain", parts[0])
    check(parts[1].get_content_type() == "message/delivery-status", parts[1])
    check(parts[2].get_content_type() in ("message/rfc822",
                                          "text/rfc822-headers"), parts[2])
    blocks = parts[1].get_payload()
    check(len(blocks) >= 2, "nobody is told of")
    about = fields_of(blocks[0], PER_MESSAGE)
    check_message(about)
    recipients = [fields_of(block, PER_RECIPIENT) for block in blocks[1:]]
    for fields in recipients:
        check_recipient(fields)
    return Report(message, parts[0].get_content(), about, recipients, parts[2])
