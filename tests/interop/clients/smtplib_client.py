"""smtplib_client - Python's standard library, the way its manual shows."""

import os
import platform
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate

env = os.environ
context = ssl.create_default_context(cafile=env["INTEROP_CA"])
domain = env["INTEROP_FROM"].partition("@")[2]

mail = EmailMessage()
mail["From"] = f"Accounts <{env['INTEROP_FROM']}>"
mail["To"] = env["INTEROP_TO"]
mail["Subject"] = f"Reset your password {env['INTEROP_TOKEN']}"
mail["Message-ID"] = f"<{env['INTEROP_TOKEN']}@{domain}>"
mail["Date"] = formatdate()
mail.set_content("Grüezi,\n\nhttps://app.example/reset?code=4711\n.dot\n")
mail.add_alternative("<p>Grüezi, <a href='https://app.example/'>reset</a></p>",
                     subtype="html")
mail.add_attachment(bytes(range(256)) * 8, maintype="application",
                    subtype="octet-stream", filename="token.bin")


class Client(smtplib.SMTP_SSL if env["INTEROP_SECURITY"] == "tls"
             else smtplib.SMTP):
    """Keeps the reply to the message, which sendmail() throws away."""

    def data(self, msg):
        self.taken = super().data(msg)
        return self.taken


where = (env["INTEROP_HOST"], int(env["INTEROP_PORT"]))
if env["INTEROP_SECURITY"] == "tls":
    client = Client(*where, context=context, timeout=30)
else:
    client = Client(*where, timeout=30)
    client.starttls(context=context)
with client:
    client.login(env["INTEROP_USER"], env["INTEROP_PASSWORD"])
    refused = client.send_message(mail)
assert not refused, refused
print(platform.python_version(), client.taken[0], client.taken[1].decode())
