# swaks - the SMTP test tool; INTEROP_OPTION=pipeline sends in one flight.
set -eu
. "$(dirname "$0")/letter.sh"

case $INTEROP_SECURITY in
tls) security=--tls-on-connect ;;
*) security=--tls ;;
esac
letter >"$INTEROP_SCRATCH/letter"
swaks --server "$INTEROP_HOST" --port "$INTEROP_PORT" $security \
    --tls-verify --tls-ca-path "$INTEROP_CA" \
    --auth --auth-user "$INTEROP_USER" --auth-password "$INTEROP_PASSWORD" \
    --from "$INTEROP_FROM" --to "$INTEROP_TO" \
    ${INTEROP_OPTION:+"--$INTEROP_OPTION"} \
    --data "@$INTEROP_SCRATCH/letter" >"$INTEROP_SCRATCH/dialog" 2>&1 ||
    fail "$(tail -n 12 "$INTEROP_SCRATCH/dialog")"
# The reply before that to QUIT is the one to the message.
reply=$(grep -E '^<(~|-) +250 ' "$INTEROP_SCRATCH/dialog" | tail -n 1)
echo "$(swaks --version | awk 'NR == 1 { print $3 }') ${reply#* }"
