#!/usr/bin/python3 -B
"""negative - single rules of submission, tried byte by byte.

Refusals, limits, and the odd but legal habits of clients. Each case is a
function that raises Wrong when the server does otherwise; it is also run by
`run`, after the clients. RFC 4954, 5321, 6409; RFC 3207 section 4.2.
"""

import contextlib
import ssl
import sys
import time

from support.arrivals import Arrivals
from support.report import Report
from support.settings import load, new_token
from support.wire import Closed, Wire, b64, encrypted, logged_in, message, plain

# More than any line that a submission server has to take (RFC 4954: 12288).
LONG_COMMAND_BYTES = 70_000
LONG_BODY_LINE_BYTES = 1_000_000
FOREIGN = "someone@elsewhere.example"

CASES = []


class Wrong(Exception):
    """The server did otherwise than the rule says."""


class Context:
    """What a case works with: the server, and messages to look for later."""

    def __init__(self, settings):
        self.settings = settings
        self.due = []  # (case, token) of messages that must arrive
        self.never = []  # (case, token) of messages that must not

    def accepted(self, name):
        """A token for a message that must arrive."""
        return self._token(name, self.due)

    def rejected(self, name):
        """A token for a message that must never arrive."""
        return self._token(name, self.never)

    @staticmethod
    def _token(name, tokens):
        token = new_token(name)
        tokens.append((name, token))
        return token


def case(name):
    """Enters a function into CASES, in the order of this file."""
    def enter(function):
        CASES.append((name, function))
        return function
    return enter


def expect(reply, *wanted):
    if not reply.starts(*wanted):
        raise Wrong(f"wanted {' or '.join(wanted)}, got: {reply.text}")
    return reply


def expect_class(reply, digit):
    if reply.code // 100 != digit:
        raise Wrong(f"wanted {digit}yz, got: {reply.text}")
    return reply


def envelope(line, context):
    """MAIL and RCPT of the account itself."""
    settings = context.settings
    expect_class(line.say(f"MAIL FROM:<{settings.sender}>"), 2)
    expect_class(line.say(f"RCPT TO:<{settings.recipient}>"), 2)


def deliver(line, data):
    """DATA, the bytes, the end mark; returns the reply to the message."""
    expect(line.say("DATA"), "354")
    line.write(data + b".\r\n")
    return line.hear()


# --- what is offered -------------------------------------------------------


def keywords(reply):
    """EHLO keywords with their parameters; the first line is the name."""
    words = [line.upper().split() for line in reply.lines[1:]]
    return {word[0]: word[1:] for word in words if word}


@case("ehlo-clear")
def ehlo_clear(context):
    with Wire(context.settings) as line:
        offered = keywords(expect(line.say("EHLO client.example"), "250"))
        if "STARTTLS" not in offered:
            raise Wrong("no STARTTLS in the clear")
        if "AUTH" in offered:
            raise Wrong("AUTH offered in the clear")


@case("ehlo-tls")
def ehlo_tls(context):
    needed = {"PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8",
              "ENHANCEDSTATUSCODES", "DSN", "AUTH"}
    with encrypted(context.settings) as line:
        offered = keywords(expect(line.say("EHLO [127.0.0.1]"), "250"))
        if missing := needed - offered.keys():
            raise Wrong(f"not offered: {sorted(missing)}")
        if offered["AUTH"] != ["PLAIN", "LOGIN"]:
            raise Wrong(f"AUTH offers {offered['AUTH']}")
        if extra := {"CHUNKING", "STARTTLS"} & offered.keys():
            raise Wrong(f"offered: {sorted(extra)}")


@case("ehlo-implicit-tls")
def ehlo_implicit_tls(context):
    with Wire(context.settings, implicit_tls=True) as line:
        offered = keywords(expect(line.say("EHLO client.example"), "250"))
        if "AUTH" not in offered or "STARTTLS" in offered:
            raise Wrong(f"offered: {sorted(offered)}")


@case("commands-not-offered")
def commands_not_offered(context):
    with logged_in(context.settings) as line:
        for command in ("VRFY root", "EXPN list", "ETRN example.com",
                        "BDAT 0 LAST"):
            expect(line.say(command), "502 5.5.1")
        expect(line.say("NOOP"), "250")


@case("unknown-command")
def unknown_command(context):
    with logged_in(context.settings) as line:
        expect(line.say("GET / HTTP/1.1"), "500", "502")
        expect(line.say("NOOP"), "250")


# --- STARTTLS --------------------------------------------------------------


@case("starttls-drops-pipelined")
def starttls_drops_pipelined(context):
    with Wire(context.settings) as line:
        line.say("EHLO client.example")
        line.write(b"STARTTLS\r\nNOOP\r\n")
        if line.hear().code != 220:
            return  # refusing the group as a whole is as safe
        try:
            line.handshake()
        except (ssl.SSLError, OSError):
            return  # so is giving up on the connection
        if not line.silent(1.0):
            raise Wrong("the command from the clear was answered under TLS")
        if "AUTH" not in keywords(line.say("EHLO client.example")):
            raise Wrong("the reply under TLS is not that to EHLO")


@case("starttls-forgets-ehlo")
def starttls_forgets_ehlo(context):
    with Wire(context.settings) as line:
        line.say("EHLO client.example")
        expect(line.say("STARTTLS"), "220")
        line.handshake()
        expect_class(line.say(f"MAIL FROM:<{context.settings.sender}>"), 5)


@case("starttls-twice")
def starttls_twice(context):
    with encrypted(context.settings) as line:
        expect(line.say("STARTTLS"), "502 5.5.1", "503 5.5.1")


# --- who may send ----------------------------------------------------------


@case("auth-in-clear")
def auth_in_clear(context):
    settings = context.settings
    with Wire(settings) as line:
        line.say("EHLO client.example")
        expect(line.say("AUTH PLAIN " + plain("", settings.user,
                                              settings.password)),
               "538 5.7.11", "530 5.7.0")


@case("mail-in-clear")
def mail_in_clear(context):
    with Wire(context.settings) as line:
        line.say("EHLO client.example")
        expect(line.say(f"MAIL FROM:<{context.settings.sender}>"),
               "530 5.7.0")


@case("mail-without-auth")
def mail_without_auth(context):
    with encrypted(context.settings) as line:
        expect(line.say(f"MAIL FROM:<{context.settings.sender}>"),
               "530 5.7.0")
        expect_class(line.say(f"RCPT TO:<{context.settings.recipient}>"), 5)
        expect_class(line.say("DATA"), 5)


@case("foreign-sender")
def foreign_sender(context):
    with logged_in(context.settings) as line:
        expect(line.say(f"MAIL FROM:<{FOREIGN}>"), "550 5.7.1")
        expect(line.say(f"RCPT TO:<{context.settings.recipient}>"),
               "503 5.5.1")


@case("foreign-from-header")
def foreign_from_header(context):
    settings = context.settings
    token = context.rejected("foreign-from-header")
    data = message(settings, token).replace(
        f"<{settings.sender}>".encode(), f"<{FOREIGN}>".encode(), 1)
    with logged_in(settings) as line:
        envelope(line, context)
        expect(deliver(line, data), "550 5.7.1")


# --- AUTH ------------------------------------------------------------------


@case("auth-plain-initial")
def auth_plain_initial(context):
    settings = context.settings
    with encrypted(settings) as line:
        expect(line.say("AUTH PLAIN " + plain("", settings.user,
                                              settings.password)),
               "235 2.7.0")
        expect(line.say("AUTH PLAIN " + plain("", settings.user,
                                              settings.password)),
               "503 5.5.1")


@case("auth-plain-challenge")
def auth_plain_challenge(context):
    settings = context.settings
    with encrypted(settings) as line:
        challenge = expect(line.say("AUTH PLAIN"), "334")
        if challenge.lines != [""]:
            raise Wrong(f"the challenge is not empty: {challenge.text}")
        expect(line.say(plain("", settings.user, settings.password)),
               "235 2.7.0")


@case("auth-plain-authzid-same")
def auth_plain_authzid_same(context):
    settings = context.settings
    with encrypted(settings) as line:
        expect(line.say("AUTH PLAIN " + plain(settings.user, settings.user,
                                              settings.password)),
               "235 2.7.0")


@case("auth-login-steps")
def auth_login_steps(context):
    with encrypted(context.settings) as line:
        login_by_steps(line, "AUTH LOGIN", context.settings)


@case("auth-login-inline")
def auth_login_inline(context):
    settings = context.settings
    with encrypted(settings) as line:
        challenge = expect(line.say("AUTH LOGIN " + b64(settings.user)),
                           "334")
        if challenge.lines != [b64("Password:")]:
            raise Wrong(f"asked {challenge.text}")
        expect(line.say(b64(settings.password)), "235 2.7.0")


@case("auth-cancelled")
def auth_cancelled(context):
    with encrypted(context.settings) as line:
        for start in ("AUTH PLAIN", "AUTH LOGIN",
                      "AUTH LOGIN " + b64(context.settings.user)):
            expect(line.say(start), "334")
            expect(line.say("*"), "501")
        login_by_steps(line, "AUTH LOGIN", context.settings)


@case("auth-malformed")
def auth_malformed(context):
    with encrypted(context.settings) as line:
        expect(line.say("AUTH"), "501", "504")
        expect(line.say("AUTH PLAIN !!not-base64!!"), "501")
        expect(line.say("AUTH PLAIN " + b64("no NUL in it")), "501", "535")
        login_by_steps(line, "AUTH LOGIN", context.settings)


@case("auth-plain-empty")
def auth_plain_empty(context):
    """'=' is an initial response of no bytes: no credentials, no 334."""
    with encrypted(context.settings) as line:
        expect(line.say("AUTH PLAIN ="), "501", "535")
        expect(line.say("NOOP"), "250")


@case("auth-unknown-mechanism")
def auth_unknown_mechanism(context):
    with encrypted(context.settings) as line:
        for mechanism in ("CRAM-MD5", "XOAUTH2", "NONSENSE"):
            expect(line.say(f"AUTH {mechanism}"), "504 5.5.4")


@case("auth-in-transaction")
def auth_in_transaction(context):
    with logged_in(context.settings) as line:
        envelope(line, context)
        expect(line.say("AUTH LOGIN"), "503 5.5.1")


def login_by_steps(line, start, settings):
    asked = [expect(line.say(start), "334").lines,
             expect(line.say(b64(settings.user)), "334").lines]
    if asked != [[b64("Username:")], [b64("Password:")]]:
        raise Wrong(f"asked {asked}")
    expect(line.say(b64(settings.password)), "235 2.7.0")


# --- odd but legal clients -------------------------------------------------


@case("lower-case-verbs")
def lower_case_verbs(context):
    settings = context.settings
    token = context.accepted("lower-case-verbs")
    with Wire(settings) as line:
        line.say("ehlo client.example")
        expect(line.say("starttls"), "220")
        line.handshake()
        line.say("ehlo client.example")
        login_by_steps(line, "auth login", settings)
        expect(line.say(f"mail from:<{settings.sender}> size=500"), "250")
        expect(line.say(f"rcpt to:<{settings.recipient}>"), "250")
        expect(line.say("data"), "354")
        line.write(message(settings, token) + b".\r\n")
        expect(line.hear(), "250")
        expect(line.say("quit"), "221")


@case("space-after-colon")
def space_after_colon(context):
    settings = context.settings
    token = context.accepted("space-after-colon")
    with logged_in(settings) as line:
        expect(line.say(f"MAIL FROM: <{settings.sender}>"), "250")
        expect(line.say(f"RCPT TO: <{settings.recipient}>"), "250")
        expect(deliver(line, message(settings, token)), "250")


@case("pipelined-in-one-write")
def pipelined_in_one_write(context):
    settings = context.settings
    token = context.accepted("pipelined-in-one-write")
    with logged_in(settings) as line:
        line.write(f"MAIL FROM:<{settings.sender}>\r\n"
                   f"RCPT TO:<{settings.recipient}>\r\n"
                   "DATA\r\n".encode())
        for wanted in ("250", "250", "354"):
            expect(line.hear(), wanted)
        line.write(message(settings, token) + b".\r\nQUIT\r\n")
        expect(line.hear(), "250")
        expect(line.hear(), "221")


@case("pipelined-all-refused")
def pipelined_all_refused(context):
    """After a group without a good recipient both sides still agree."""
    settings = context.settings
    with logged_in(settings) as line:
        line.write(f"MAIL FROM:<{settings.sender}>\r\n"
                   "RCPT TO:<no-domain@>\r\n"
                   "DATA\r\nNOOP\r\n".encode())
        expect(line.hear(), "250")
        expect_class(line.hear(), 5)
        expect(line.hear(), "554", "503")
        expect(line.hear(), "250")


@case("gone-after-250")
def gone_after_250(context):
    token = context.accepted("gone-after-250")
    with logged_in(context.settings) as line:
        envelope(line, context)
        expect(deliver(line, message(context.settings, token)), "250")
        line.drop()


@case("gone-before-end")
def gone_before_end(context):
    token = context.rejected("gone-before-end")
    with logged_in(context.settings) as line:
        envelope(line, context)
        expect(line.say("DATA"), "354")
        line.write(message(context.settings, token))
        line.drop()


@case("several-in-one-session")
def several_in_one_session(context):
    tokens = [context.accepted("several-in-one-session") for _ in range(3)]
    with logged_in(context.settings) as line:
        for token in tokens:
            envelope(line, context)
            expect(deliver(line, message(context.settings, token)), "250")


@case("rset-forgets")
def rset_forgets(context):
    token = context.accepted("rset-forgets")
    with logged_in(context.settings) as line:
        envelope(line, context)
        expect(line.say("RSET"), "250")
        expect(line.say("DATA"), "503")
        envelope(line, context)
        expect(deliver(line, message(context.settings, token)), "250")


@case("8bit-without-body")
def eight_bit_without_body(context):
    token = context.accepted("8bit-without-body")
    data = message(context.settings, token, "Grüße – ✓\r\n".encode())
    with logged_in(context.settings) as line:
        envelope(line, context)
        expect(deliver(line, data), "250")


@case("smtputf8-not-needed")
def smtputf8_not_needed(context):
    """Go asks for SMTPUTF8 always; an ASCII message must still get
    through to a receiver without it."""
    settings = context.settings
    token = context.accepted("smtputf8-not-needed")
    with logged_in(settings) as line:
        expect(line.say(f"MAIL FROM:<{settings.sender}> BODY=8BITMIME "
                        "SMTPUTF8"), "250")
        expect(line.say(f"RCPT TO:<{settings.recipient}>"), "250")
        expect(deliver(line, message(settings, token)), "250")


@case("smtputf8-sender")
def smtputf8_sender(context):
    """Whether it arrives depends on the receiver: only taking is judged."""
    settings = context.settings
    with logged_in(settings) as line:
        expect(line.say(f"MAIL FROM:<grüße@{settings.domain}> BODY=8BITMIME "
                        "SMTPUTF8"), "250")
        expect(line.say(f"RCPT TO:<{settings.recipient}>"), "250")
        token = new_token("smtputf8-sender")
        expect(deliver(line, message(settings, token)), "250")


@case("dsn-parameters")
def dsn_parameters(context):
    settings = context.settings
    token = context.accepted("dsn-parameters")
    with logged_in(settings) as line:
        expect(line.say(f"MAIL FROM:<{settings.sender}> RET=HDRS "
                        f"ENVID={token}"), "250")
        expect(line.say(f"RCPT TO:<{settings.recipient}> NOTIFY=FAILURE,DELAY "
                        f"ORCPT=rfc822;{settings.recipient}"), "250")
        expect(deliver(line, message(settings, token)), "250")


@case("dot-stuffed")
def dot_stuffed(context):
    token = context.accepted("dot-stuffed")
    body = b"..\r\n...\r\n..leading dot\r\n"
    with logged_in(context.settings) as line:
        envelope(line, context)
        expect(deliver(line, message(context.settings, token, body)), "250")


@case("end-mark-in-pieces")
def end_mark_in_pieces(context):
    """CR, LF, dot, CR, LF each in a TLS record of its own."""
    token = context.accepted("end-mark-in-pieces")
    with logged_in(context.settings) as line:
        envelope(line, context)
        expect(line.say("DATA"), "354")
        line.write(message(context.settings, token, b"last line"))
        for byte in (b"\r", b"\n", b".", b"\r", b"\n"):
            line.write(byte)
        expect(line.hear(), "250")


# --- refusals --------------------------------------------------------------


@case("recipient-refused")
def recipient_refused(context):
    """One bad recipient is its own news; the good one is served."""
    settings = context.settings
    token = context.accepted("recipient-refused")
    with logged_in(settings) as line:
        expect(line.say(f"MAIL FROM:<{settings.sender}>"), "250")
        for bad in ("no-domain@", "@no-local.example", "two..dots@a..b", ""):
            expect_class(line.say(f"RCPT TO:<{bad}>"), 5)
        expect(line.say(f"RCPT TO:<{settings.recipient}>"), "250")
        expect(deliver(line, message(settings, token)), "250")


@case("wrong-order")
def wrong_order(context):
    settings = context.settings
    with logged_in(settings) as line:
        expect(line.say(f"RCPT TO:<{settings.recipient}>"), "503 5.5.1")
        expect(line.say("DATA"), "503 5.5.1")
        expect(line.say(f"MAIL FROM:<{settings.sender}>"), "250")
        expect(line.say(f"MAIL FROM:<{settings.sender}>"), "503 5.5.1")
        expect(line.say("DATA"), "554", "503")


@case("mail-parameters")
def mail_parameters(context):
    mail = f"MAIL FROM:<{context.settings.sender}>"
    with logged_in(context.settings) as line:
        expect(line.say(f"{mail} SIZE=99999999999"), "552 5.3.4")
        expect(line.say(f"{mail} SIZE=many"), "501 5.5.4", "555 5.5.4")
        expect(line.say(f"{mail} BODY=BINARYMIME"), "501 5.5.4", "555 5.5.4")
        expect(line.say(f"{mail} FLAVOUR=sweet"), "555 5.5.4", "501 5.5.4")
        expect_class(line.say("MAIL FROM:sender without brackets"), 5)
        expect(line.say(mail), "250")


@case("long-command")
def long_command(context):
    """The line is refused whole: its tail is never taken for a command."""
    with logged_in(context.settings) as line:
        line.write(b"NOOP " + b"x" * LONG_COMMAND_BYTES + b"\r\nNOOP\r\n")
        expect(line.hear(), "500", "421")
        with contextlib.suppress(Closed):
            expect(line.hear(), "250", "421")
            expect(line.say("NOOP"), "250")


@case("long-body-line")
def long_body_line(context):
    token = context.rejected("long-body-line")
    body = b"x" * LONG_BODY_LINE_BYTES + b"\r\n"
    with logged_in(context.settings) as line:
        envelope(line, context)
        expect_class(deliver(line, message(context.settings, token, body)), 5)


@case("nul-in-body")
def nul_in_body(context):
    token = context.rejected("nul-in-body")
    data = message(context.settings, token, b"a\0b\r\n")
    with logged_in(context.settings) as line:
        envelope(line, context)
        expect_class(deliver(line, data), 5)


@case("nul-in-command")
def nul_in_command(context):
    with logged_in(context.settings) as line:
        expect_class(line.say(f"MAIL FROM:<{context.settings.sender}\0>"), 5)


@case("bare-newline-in-command")
def bare_newline_in_command(context):
    """CR or LF inside a command makes it neither two commands nor good."""
    settings = context.settings
    for newline in ("\n", "\r"):
        with logged_in(settings) as line:
            reply = line.say(f"MAIL FROM:<{settings.sender}>{newline}"
                             f"RCPT TO:<{settings.recipient}>")
            expect_class(reply, 5)
            if not line.silent(0.5):
                raise Wrong(f"two replies to one line with {newline!r}")


# Wrong credentials last: servers rightly slow down those who show them.


@case("wrong-password")
def wrong_password(context):
    settings = context.settings
    with encrypted(settings) as line:
        known = expect(line.say("AUTH PLAIN " + plain("", settings.user,
                                                      "not the password")),
                       "535 5.7.8")
        expect(line.say(f"MAIL FROM:<{settings.sender}>"), "530 5.7.0")
    with encrypted(settings) as line:
        unknown = expect(line.say("AUTH PLAIN " + plain("", "nobody-here",
                                                        "not the password")),
                         "535 5.7.8")
    if known.text != unknown.text:
        raise Wrong(f"tells users apart: {known.text} / {unknown.text}")


@case("auth-plain-authzid-other")
def auth_plain_authzid_other(context):
    settings = context.settings
    with encrypted(settings) as line:
        expect(line.say("AUTH PLAIN " + plain("somebody-else", settings.user,
                                              settings.password)),
               "535 5.7.8")


# --- running them ----------------------------------------------------------


def run(settings, arrivals, report):
    """Tries every case, then looks for the messages. A case whose message
    is astray fails even though its replies were right."""
    context = Context(settings)
    problems = {name: try_case(function, context) for name, function in CASES}
    deadline = time.monotonic() + settings.arrival_wait_s
    for name, token in context.due:
        if not problems[name]:
            problems[name] = arrivals.problem(
                token, settings.recipient,
                max(0, deadline - time.monotonic()))
    for name, token in context.never:
        if not problems[name] and arrivals.find(token):
            problems[name] = "refused or cut off, but arrived"
    for name, problem in problems.items():
        if problem:
            report.not_ok(f"rule/{name}", problem)
        else:
            report.ok(f"rule/{name}")


def try_case(function, context):
    """None, or what was wrong."""
    try:
        function(context)
        return None
    except Wrong as wrong:
        return str(wrong)
    except Closed:
        return "the server closed the connection"
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def main():
    settings = load()
    report = Report()
    run(settings, Arrivals(settings.record), report)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
