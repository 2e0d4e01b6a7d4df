# curl - sends a file as it is: with --crlf it makes CRLF of its line ends;
# without, bare LFs go on the wire, and the server must refuse the message.
set -eu
. "$(dirname "$0")/letter.sh"

case $INTEROP_SECURITY in
tls) scheme=smtps ;;
*) scheme=smtp ;;
esac
letter >"$INTEROP_SCRATCH/letter"
status=0
curl --silent --show-error --verbose --ssl-reqd --cacert "$INTEROP_CA" \
    --user "$INTEROP_USER:$INTEROP_PASSWORD" \
    --mail-from "$INTEROP_FROM" --mail-rcpt "$INTEROP_TO" \
    ${INTEROP_OPTION:+"--$INTEROP_OPTION"} \
    --upload-file "$INTEROP_SCRATCH/letter" \
    "$scheme://$INTEROP_HOST:$INTEROP_PORT/client.example" \
    2>"$INTEROP_SCRATCH/dialog" || status=$?
replies=$(tr -d '\r' <"$INTEROP_SCRATCH/dialog" | sed -n 's/^< //p')
version=$(curl --version | awk 'NR == 1 { print $2 }')

if [ "$INTEROP_OPTION" = crlf ]; then
    [ $status = 0 ] || fail "$(tail -n 6 "$INTEROP_SCRATCH/dialog")"
    echo "$version $(grep '^250 ' <<<"$replies" | tail -n 1)"
else
    refusal=$(grep '^550 5\.5\.2 ' <<<"$replies") ||
        fail "bare LF not refused by 550 5.5.2: $(tail -n 2 <<<"$replies")"
    echo "$version $refusal"
fi
