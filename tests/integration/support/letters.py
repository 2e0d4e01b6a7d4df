"""letters - submits mail as a client does: STARTTLS, AUTH, one message."""

import smtplib
import ssl
import uuid
from dataclasses import dataclass, field

from support.settings import PASSWORD


RESET = ("Hello,\r\n\r\nsomebody, most likely you, asked to reset the password "
         "of your account. Choose\r\na new password here within the next 30 "
         "minutes:\r\n\r\n    https://app.acme.test/reset/7Qk293hdLw0pXx81\r\n\r\n"
         "If you did not request this, ignore this email; your password stays "
         "the same.\r\n")


NEWS = ("The best of the week: ten stories that our readers loved, three new "
        "recipes, and 20 % off\r\neverything in the shop until Sunday with the "
        "code AUTUMN20.\r\n\r\nRead more: https://acme.test/news?utm_source=mail"
        "\r\n\r\nYou receive this newsletter because you subscribed. "
        "Unsubscribe at any time.\r\n")


def usual_body(headers):
    if "List-Unsubscribe" in headers:
        return NEWS
    declared = headers.get("X-Sendyard-Stream", "").lower()
    return RESET if declared == "transactional" else "Hello.\r\n"


@dataclass
class Sent:
    """What the platform said to one message."""
    code: int
    reply: str
    token: str  # a word in the Subject that no other message has
    subject: str
    sender: str
    to: list = field(default_factory=list)

    @property
    def id(self):
        """Our message id: the last word of the 250."""
        return self.reply.split()[-1] if self.code == 250 else None


class Client:
    """One session at a submission listener."""

    def __init__(self, host, port, account, ca, password=PASSWORD,
                 timeout_s=15):
        context = ssl.create_default_context(cafile=ca)
        context.check_hostname = False  # yards listen on bare addresses
        self._smtp = smtplib.SMTP(host, port, local_hostname="client.test",
                                  timeout=timeout_s)
        try:
            self._smtp.starttls(context=context)
            if account:
                self._smtp.login(account, password)
        except BaseException:
            self._smtp.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._smtp.quit()
        except (smtplib.SMTPException, OSError):
            self._smtp.close()

    def send(self, to, sender, subject="", headers=None, body=None,
             mail_options=(), rcpt_options=()):
        """Sends one message; a refusal is an answer, not an exception. Without
        a text it has one that the classifier takes for what it is declared."""
        if body is None:
            body = usual_body(headers or {})
        to = [to] if isinstance(to, str) else list(to)
        token = uuid.uuid4().hex[:12]
        subject = f"{subject} {token}".strip()
        lines = [f"From: {sender}", f"To: {to[0]}", f"Subject: {subject}"]
        lines += [f"{name}: {value}" for name, value in
                  (headers or {}).items()]
        text = ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
        if not text.isascii():
            mail_options = (*mail_options, "BODY=8BITMIME")
        code, reply = self._talk(sender, to, text, mail_options, rcpt_options)
        return Sent(code, reply.decode(), token, subject, sender, to)

    def send_rest(self, to, sender, rest, subject="", mail_options=()):
        """Sends a message whose other fields and body are these bytes."""
        token = uuid.uuid4().hex[:12]
        subject = f"{subject} {token}".strip()
        text = (f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n"
                ).encode() + rest
        code, reply = self._talk(sender, [to], text,
                                 ("BODY=8BITMIME", *mail_options), ())
        return Sent(code, reply.decode(), token, subject, sender, [to])

    def send_bytes(self, to, sender, text):
        """Sends these bytes, without a word of their own."""
        code, reply = self._talk(sender, [to], text, (), ())
        return Sent(code, reply.decode(), "", "", sender, [to])

    def _talk(self, sender, to, text, options, rcpt_options):
        self._smtp.ehlo_or_helo_if_needed()
        code, reply = self._smtp.mail(sender, list(options))
        for each in to:
            if code == 250:
                code, reply = self._smtp.rcpt(each, list(rcpt_options))
        if code == 250:
            return self._smtp.data(text)
        if code != 421:
            self._smtp.rset()
        return code, reply
