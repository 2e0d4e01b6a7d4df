#!/usr/bin/env python3
"""check - the corpus is deterministic, well formed, and as wide as promised."""
import collections
import email
import email.policy
import filecmp
import json
import os
import re
import sys
import tempfile

import make
from values import Values

LEAST = {"sources": 630, "templates": 7500, "languages": 14,
         "transactional": 3780, "bulk": 2750, "personal": 810, "lifecycle": 150}
DRAWN = "|".join(name[5:] for name in dir(Values) if name.startswith("draw_"))
MARKS = re.compile(r"\{(" + DRAWN + r")[23]?(:[^{}]*)?\}|<<|%[a-z]+%[ <\"]"
                   r"|(?m:^(== |\?\w|ATTACH ))")


def wrong_in(path, entry):
    """What is wrong with one message, or nothing."""
    with open(path, "rb") as file:
        raw = file.read()
    if len(raw) != entry["bytes"]:
        return "size differs from the manifest"
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    for name in ("From", "To", "Subject", "Date", "Message-ID"):
        if len(mail.get_all(name, [])) != 1:
            return f"not one {name}"
    texts = [str(mail["Subject"])]
    for part in mail.walk():
        if part.defects:
            return f"defects: {part.defects}"
        if part.get_content_maintype() == "text" \
                and part.get_content_disposition() != "attachment":
            payload = part.get_payload(decode=True)
            texts.append(payload.decode(part.get_content_charset()))
    if not all(text.strip() for text in texts):
        return "an empty subject or body"
    left = MARKS.search("\n".join(texts))
    return f"a mark is left: {left[0]!r}" if left else None


def check_messages(out, entries):
    faults = []
    for entry in entries:
        try:
            fault = wrong_in(os.path.join(out, entry["file"]), entry)
        except (UnicodeDecodeError, LookupError) as error:
            fault = str(error)
        if fault:
            faults.append(f"{entry['file']} ({entry['template']}): {fault}")
    return faults


def check_same(first, second, entries):
    """Two runs with the same arguments write the same bytes."""
    names = [entry["file"] for entry in entries] + ["manifest.jsonl"]
    _, differ, errors = filecmp.cmpfiles(first, second, names, shallow=False)
    return [f"{name}: two runs differ" for name in differ + errors]


def check_width(entries):
    have = collections.Counter(entry["label"] for entry in entries)
    have["templates"] = len({(e["source"], e["template"]) for e in entries})
    have["sources"] = len({e["source"] for e in entries})
    have["languages"] = len({e["lang"] for e in entries})
    return [f"{name}: {have[name]}, promised {count}"
            for name, count in LEAST.items() if have[name] < count]


def check(brands):
    """The entries of a folder's brands, and what is wrong with them."""
    with tempfile.TemporaryDirectory() as first, \
            tempfile.TemporaryDirectory() as second:
        make.write(first, 1, 1, brands)
        make.write(second, 1, 1, brands)
        with open(os.path.join(first, "manifest.jsonl"), encoding="utf-8") as file:
            entries = [json.loads(line) for line in file]
        return entries, check_messages(first, entries) \
            + check_same(first, second, entries)


def main():
    entries, faults = check("brands")
    unseen, more = check("unseen")
    faults += more + check_width(entries) + [
        f"{source}: seen and unseen" for source in
        {e["source"] for e in entries} & {e["source"] for e in unseen}]
    for fault in faults[:20]:
        print(fault)
    print(f"{len(entries) + len(unseen)} messages, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
