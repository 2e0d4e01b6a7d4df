"""django_client - Django's SMTP backend; it sends 8-bit bodies unannounced.

Django of this age cannot be given a CA file: its TLS is not verified.
"""

import os

import django
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

env = os.environ
settings.configure(
    EMAIL_HOST=env["INTEROP_HOST"], EMAIL_PORT=int(env["INTEROP_PORT"]),
    EMAIL_HOST_USER=env["INTEROP_USER"],
    EMAIL_HOST_PASSWORD=env["INTEROP_PASSWORD"],
    EMAIL_USE_TLS=True, EMAIL_TIMEOUT=30)
django.setup()

domain = env["INTEROP_FROM"].partition("@")[2]
mail = EmailMultiAlternatives(
    f"Welcome {env['INTEROP_TOKEN']}", "Schön, dass du da bist – los geht's.",
    f"Shop <{env['INTEROP_FROM']}>", [env["INTEROP_TO"]],
    headers={"Message-ID": f"<{env['INTEROP_TOKEN']}@{domain}>"})
mail.attach_alternative("<h1>Schön, dass du da bist</h1>", "text/html")
assert mail.send() == 1
print(django.get_version(), "sent, the backend shows no reply")
