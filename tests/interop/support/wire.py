"""wire - an SMTP connection that sends exactly the bytes it is given.

Libraries correct what they send; the cases that need wrong bytes, odd
grouping or a missing QUIT talk through this instead. RFC 5321, 3207, 4954.
"""

import base64
import re
import socket
import ssl

TIMEOUT_S = 30.0
REPLY_BYTES_MAX = 65536
REPLY_LINE = re.compile(rb"([2-5][0-9]{2})([ -])(.*)")


class Closed(Exception):
    """The server ended the connection."""


class Reply:
    """One whole reply: its code, its lines without code, and as one text."""

    def __init__(self, code, lines):
        self.code = code
        self.lines = lines
        self.text = " ".join([str(code), *lines])

    def starts(self, *wanted):
        """Whether the reply begins with one of these, e.g. "535 5.7.8"."""
        return any(self.text == want or self.text.startswith(want + " ")
                   for want in wanted)


class Wire:
    """Opened in the clear, or with implicit TLS, and after the greeting."""

    def __init__(self, settings, implicit_tls=False):
        self.settings = settings
        self._pending = b""
        port = settings.port_tls if implicit_tls else settings.port_starttls
        self._sock = socket.create_connection((settings.host, port), TIMEOUT_S)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if implicit_tls:
            self.handshake()
        self.greeting = self.hear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drop()

    def drop(self):
        """Closes without QUIT."""
        self._sock.close()

    def handshake(self):
        """Starts TLS on the connection and checks the certificate."""
        context = ssl.create_default_context(cafile=self.settings.ca)
        self._sock = context.wrap_socket(
            self._sock, server_hostname=self.settings.host)

    def write(self, data):
        """Sends bytes as they are, in one write."""
        self._sock.sendall(data)

    def hear(self):
        """The next reply. Raises Closed, TimeoutError, or ValueError for
        what is no reply."""
        lines = []
        while True:
            match = REPLY_LINE.fullmatch(self._line())
            if match is None:
                raise ValueError("malformed reply line")
            lines.append(match[3].decode("utf-8", "replace"))
            if match[2] == b" ":
                return Reply(int(match[1]), lines)

    def say(self, line):
        """Sends one command line and returns its reply."""
        self.write(line.encode() + b"\r\n")
        return self.hear()

    def silent(self, wait_s):
        """Whether the server says nothing for this long, or hangs up."""
        if self._pending:
            return False
        self._sock.settimeout(wait_s)
        try:
            self._pending = self._sock.recv(4096)
        except (TimeoutError, ConnectionResetError):
            return True
        finally:
            self._sock.settimeout(TIMEOUT_S)
        return not self._pending

    def hear_rest(self):
        """All replies until the server closes."""
        replies = []
        try:
            while True:
                replies.append(self.hear())
        except (Closed, OSError):
            return replies

    def _line(self):
        while b"\n" not in self._pending:
            if len(self._pending) > REPLY_BYTES_MAX:
                raise ValueError("endless reply line")
            try:
                got = self._sock.recv(4096)
            except (ConnectionResetError, ssl.SSLEOFError) as end:
                raise Closed from end
            if not got:
                raise Closed
            self._pending += got
        line, _, self._pending = self._pending.partition(b"\n")
        if not line.endswith(b"\r"):
            raise ValueError("reply line without CR")
        return line[:-1]


def plain(authzid, user, password):
    """The one message of AUTH PLAIN (RFC 4616), in base64."""
    return b64(f"{authzid}\0{user}\0{password}")


def b64(text):
    return base64.b64encode(text.encode()).decode()


def encrypted(settings):
    """A connection under STARTTLS, after its second EHLO."""
    wire = Wire(settings)
    wire.say("EHLO client.example")
    wire.say("STARTTLS")
    wire.handshake()
    wire.say("EHLO client.example")
    return wire


def logged_in(settings):
    """The same, authenticated; ConnectionError when that is refused."""
    wire = encrypted(settings)
    reply = wire.say("AUTH PLAIN " + plain("", settings.user,
                                           settings.password))
    if reply.code != 235:
        wire.drop()
        raise ConnectionError(f"cannot log in: {reply.text}")
    return wire


def message(settings, token, body=b"A plain test.\r\n"):
    """A whole message with CRLF line ends, not dot-stuffed, no end mark."""
    return (f"From: Interop <{settings.sender}>\r\n"
            f"To: <{settings.recipient}>\r\n"
            f"Subject: Interop {token}\r\n"
            f"Message-ID: <{token}@{settings.domain}>\r\n"
            f"MIME-Version: 1.0\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: 8bit\r\n"
            f"\r\n").encode() + body
