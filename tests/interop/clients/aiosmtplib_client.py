"""aiosmtplib_client - asyncio, the sender of many Python web services."""

import asyncio
import os
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import aiosmtplib

env = os.environ
domain = env["INTEROP_FROM"].partition("@")[2]

mail = MIMEMultipart("alternative")
mail["From"] = env["INTEROP_FROM"]
mail["To"] = env["INTEROP_TO"]
mail["Subject"] = f"Your invoice {env['INTEROP_TOKEN']}"
mail["Message-ID"] = f"<{env['INTEROP_TOKEN']}@{domain}>"
mail.attach(MIMEText("Total: 12 €\n", "plain", "utf-8"))
mail.attach(MIMEText("<b>Total: 12 €</b>\n", "html", "utf-8"))


async def send():
    return await aiosmtplib.send(
        mail, hostname=env["INTEROP_HOST"], port=int(env["INTEROP_PORT"]),
        start_tls=True, cert_bundle=env["INTEROP_CA"],
        username=env["INTEROP_USER"], password=env["INTEROP_PASSWORD"],
        timeout=30)


refused, reply = asyncio.run(send())
assert not refused, refused
print(aiosmtplib.__version__, reply)
