# exim - Exim as the client of a smarthost, unpacked, with a private spool.
set -eu
. "$(dirname "$0")/letter.sh"

exim=$INTEROP_CACHE/exim/usr/sbin/exim4
work=$INTEROP_SCRATCH
[ -x "$exim" ] || fail "$exim is missing: run tests/interop/install"

# "^" separates the parts of client_send, so "^" itself is doubled.
secret=${INTEROP_PASSWORD//^/^^}
cat >"$work/exim.conf" <<CONFIG
primary_hostname = smarthost-client.example
exim_path = $exim
spool_directory = $work/spool
log_file_path = $work/%slog
keep_environment =
never_users =

begin routers
smarthost:
  driver = manualroute
  route_list = * $INTEROP_HOST byname
  self = send
  transport = submission

begin transports
submission:
  driver = smtp
  port = $INTEROP_PORT
  hosts_require_tls = *
  hosts_require_auth = *
  tls_verify_certificates = $INTEROP_CA
  tls_verify_hosts = *
  tls_verify_cert_hostnames = *

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^$INTEROP_USER^$secret
CONFIG
chmod 711 "$work"
mkdir "$work/spool"
chown Debian-exim "$work/spool"
touch "$work/mainlog" "$work/paniclog"
chown Debian-exim "$work/mainlog" "$work/paniclog"

letter | "$exim" -C "$work/exim.conf" -odi -f "$INTEROP_FROM" "$INTEROP_TO" \
    2>"$work/stderr" ||
    fail "exim: exit status $?: $(cat "$work/stderr")"
reply=$(sed -n 's/.* => .* C="\([^"]*\)".*/\1/p' "$work/mainlog")
[ -n "$reply" ] ||
    fail "$(grep -hE -m 1 ' (\*\*|==) ' "$work/mainlog" "$work/paniclog")"
echo "$("$exim" -C "$work/exim.conf" -bV | awk 'NR == 1 { print $3 }') $reply"
