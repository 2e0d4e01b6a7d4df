# postfix - Postfix as the client of a smarthost, with directories of its own.
set -eu
. "$(dirname "$0")/letter.sh"

work=$INTEROP_SCRATCH
mkdir "$work/etc" "$work/queue" "$work/data"
chmod 755 "$work"
chown postfix "$work/data"
relay="[$INTEROP_HOST]:$INTEROP_PORT"

cat >"$work/etc/main.cf" <<CONFIG
compatibility_level = 3.6
queue_directory = $work/queue
data_directory = $work/data
maillog_file = $work/log
maillog_file_prefixes = $work
myhostname = smarthost-client.example
mydestination =
inet_interfaces = loopback-only
alias_maps =
relayhost = $relay
smtp_host_lookup = native
smtp_tls_CAfile = $INTEROP_CA
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = $INTEROP_TLS_NAME
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = texthash:$work/etc/sasl
smtp_sasl_tls_security_options = noanonymous
CONFIG
echo "$relay $INTEROP_USER:$INTEROP_PASSWORD" >"$work/etc/sasl"
chmod 600 "$work/etc/sasl"
# Only what sends: no listener, so no port is taken.
cat >"$work/etc/master.cf" <<'CONFIG'
pickup    unix n - n 60 1 pickup
cleanup   unix n - n -  0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n -  - trivial-rewrite
bounce    unix - - n -  0 bounce
defer     unix - - n -  0 bounce
trace     unix - - n -  0 bounce
proxymap  unix - - n -  - proxymap
smtp      unix - - n -  - smtp
error     unix - - n -  - error
retry     unix - - n -  - error
scache    unix - - n -  1 scache
postlog   unix-dgram n - n - 1 postlogd
CONFIG

postfix -c "$work/etc" start >"$work/start" 2>&1 || fail "$(cat "$work/start")"
trap 'postfix -c "$work/etc" stop >/dev/null 2>&1' EXIT
letter | sendmail -C "$work/etc" -i -f "$INTEROP_FROM" "$INTEROP_TO" ||
    fail "sendmail: exit status $?"

for _ in $(seq 150); do
    if result=$(grep -oE 'status=(sent|deferred|bounced) .*' "$work/log"); then
        break
    fi
    sleep 0.2
done
case ${result:-} in
status=sent*) echo "$(postconf -dh mail_version) ${result#status=sent }" ;;
*) fail "${result:-$(tail -n 5 "$work/log")}" ;;
esac
