"""wire - SMTP over a socket, byte by byte: what no mail library would send."""

import base64
import socket
import ssl


class Wire:
    """One connection. Replies are (code, text of all lines)."""

    def __init__(self, address, source=None, timeout_s=10, greeting=True):
        self._socket = socket.create_connection(
            address, timeout_s, source_address=(source, 0) if source else None)
        self._lines = self._socket.makefile("rb")
        self.greeting = self.reply() if greeting else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._lines.close()
        self._socket.close()

    def reply(self):
        """The next reply; (0, "") when the server has closed."""
        text = []
        while True:
            try:
                line = self._lines.readline().decode()
            except ConnectionResetError:
                line = ""
            if not line:
                return 0, ""
            text.append(line[4:].rstrip("\r\n"))
            if line[3:4] != "-":
                return int(line[:3]), "\n".join(text)

    def send(self, data):
        self._socket.sendall(data.encode() if isinstance(data, str) else data)

    def say(self, line):
        """Sends one line, returns the reply."""
        self.send(line + "\r\n")
        return self.reply()

    def start_tls(self):
        """STARTTLS and EHLO, whatever certificate is shown; returns that."""
        self.say("EHLO client.test")
        assert self.say("STARTTLS")[0] == 220
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._lines.close()
        self._socket = context.wrap_socket(self._socket)
        self._lines = self._socket.makefile("rb")
        self.say("EHLO client.test")
        return self._socket.getpeercert(binary_form=True)

    def log_in(self, account, password):
        """STARTTLS and AUTH; the reply."""
        self.start_tls()
        secret = base64.b64encode(f"\0{account}\0{password}".encode())
        return self.say(f"AUTH PLAIN {secret.decode()}")

    def begin(self, sender, *recipients):
        """Up to the reply to DATA."""
        self.say(f"MAIL FROM:<{sender}>")
        for recipient in recipients:
            self.say(f"RCPT TO:<{recipient}>")
        return self.say("DATA")

    def fileno(self):
        return self._socket.fileno()
