# msmtp - the small sendmail replacement of desktops and containers.
set -eu
. "$(dirname "$0")/letter.sh"

cat >"$INTEROP_SCRATCH/msmtprc" <<CONFIG
account default
host $INTEROP_HOST
port $INTEROP_PORT
tls on
tls_starttls on
tls_trust_file $INTEROP_CA
auth on
user $INTEROP_USER
passwordeval "printenv INTEROP_PASSWORD"
from $INTEROP_FROM
logfile $INTEROP_SCRATCH/log
CONFIG
chmod 600 "$INTEROP_SCRATCH/msmtprc"
letter | msmtp --file="$INTEROP_SCRATCH/msmtprc" "$INTEROP_TO" ||
    fail "msmtp: exit status $?"
reply=$(sed -n "s/.*smtpmsg='\([^']*\)'.*/\1/p" "$INTEROP_SCRATCH/log")
echo "$(msmtp --version | awk 'NR == 1 { print $3 }') $reply"
