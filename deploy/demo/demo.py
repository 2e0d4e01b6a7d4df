#!/usr/bin/env python3
"""demo.py - sends the letters of a folder through the platform and shows, from
its event log alone, what became of each: stream and why, route, source IP,
receiver, result, time.

The folder's file `list` says by which account each is sent, from whom, and to
whom.
"""
import argparse
import json
import os
import smtplib
import ssl
import sys
import time

PASSWORD = "quickstart"
FINAL = {"delivered", "bounced", "expired"}
WAIT_S = 20


def read_letters(folder):
    letters = []
    with open(os.path.join(folder, "list"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                continue
            name, account, sender, *recipients = line.split()
            path = os.path.join(folder, name + ".eml")
            with open(path, encoding="utf-8") as letter:
                text = letter.read().replace("\n", "\r\n").encode()
            letters.append({"name": name, "account": account, "from": sender,
                            "to": recipients, "text": text})
    return letters


def send_all(letters, port, ca):
    """Sends by STARTTLS and AUTH, one session for each account."""
    context = ssl.create_default_context(cafile=ca)
    sessions = {}
    for letter in letters:
        account = letter["account"]
        if account not in sessions:
            session = smtplib.SMTP("localhost", port, timeout=10)
            session.starttls(context=context)
            session.login(account, PASSWORD)
            sessions[account] = session
        session = sessions[account]
        letter["sent"] = time.time()
        options = [] if letter["text"].isascii() else ["BODY=8BITMIME"]
        session.mail(letter["from"], options)
        for to in letter["to"]:
            session.rcpt(to)
        code, reply = session.data(letter["text"])
        letter["reply"] = f"{code} {reply.decode()}"
        letter["id"] = reply.decode().split()[-1] if code == 250 else None
    for session in sessions.values():
        session.quit()


def read_events(path):
    """Accepted and last outcome by message id and recipient."""
    accepted, outcomes = {}, {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            if event["event"] == "accepted":
                accepted[event["id"]] = event
            elif "recipient" in event:
                outcomes[(event["id"], event["recipient"])] = event
    return accepted, outcomes


def wait_for_outcomes(letters, path):
    """Until each recipient has an outcome; a deferral is one, too."""
    wanted = {(letter["id"], to) for letter in letters if letter["id"]
              for to in letter["to"]}
    end = time.time() + WAIT_S
    accepted, outcomes = read_events(path)
    while time.time() < end and not wanted <= outcomes.keys():
        time.sleep(0.1)
        accepted, outcomes = read_events(path)
    return accepted, outcomes


def rows_of(letters, accepted, outcomes):
    for letter in letters:
        for to in letter["to"]:
            if not letter["id"]:
                yield (letter["name"], "-", "-", "-", to, letter["reply"], "")
                continue
            sort = accepted.get(letter["id"], {})
            out = outcomes.get((letter["id"], to))
            if not out:
                yield (letter["name"], sort.get("stream", "?"), "-", "-", to,
                       "no outcome yet", "")
                continue
            result = out["event"]
            if result != "delivered":
                result += " " + str(out.get("code") or out.get("status", ""))
            took = out.get("queued_ms")
            yield (letter["name"], sort.get("stream", "?"),
                   out.get("route", "?"), out.get("source_ip") or "-", to,
                   result, f"{took} ms" if took is not None else "")


def print_table(head, rows):
    widths = [max(len(row[i]) for row in [head] + rows)
              for i in range(len(head))]
    for row in [head] + rows:
        print("  " + "  ".join(cell.ljust(width)
                               for cell, width in zip(row, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser()
    for name in ("letters", "port", "events", "ca"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()

    letters = read_letters(args.letters)
    send_all(letters, int(args.port), args.ca)
    accepted, outcomes = wait_for_outcomes(letters, args.events)

    print_table(("message", "stream", "route", "source IP", "recipient",
                 "result", "time"), list(rows_of(letters, accepted, outcomes)))
    print("\nwhy each is in its stream:")
    print_table(("message", "reasons"),
                [(letter["name"],
                  accepted.get(letter["id"], {}).get("reasons", "-"))
                 for letter in letters])
    missing = [letter["name"] for letter in letters
               if letter["id"] and any((letter["id"], to) not in outcomes
                                       for to in letter["to"])]
    if missing:
        sys.exit(f"no outcome within {WAIT_S} s: {' '.join(missing)}")


if __name__ == "__main__":
    main()
