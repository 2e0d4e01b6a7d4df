# letter.sh - sourced by the shell clients: the message that they all send.

# Prints it with LF line ends, as a file on Unix has them.
letter() {
    cat <<MAIL
From: Newsletter <$INTEROP_FROM>
To: $INTEROP_TO
Subject: Weekly digest $INTEROP_TOKEN
Message-ID: <$INTEROP_TOKEN@${INTEROP_FROM#*@}>
Date: $(date -R)
List-Unsubscribe: <https://app.example/u?t=1>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="=_cut"

--=_cut
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Grüße aus der Werkstatt.
.a line that starts with a dot

--=_cut
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<p>Grüße aus der Werkstatt.</p>

--=_cut--
MAIL
}

fail() {
    echo "$*" >&2
    exit 1
}
