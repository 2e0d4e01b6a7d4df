# s-nail - the mail(1) of Debian; AUTH PLAIN without initial response.
set -eu
. "$(dirname "$0")/letter.sh"

echo "Disk usage is at 91 % – please look." |
    s-nail -:/ -v -v -S v15-compat -S sendwait \
        -S from="$INTEROP_FROM" \
        -S mta="smtp://$INTEROP_HOST:$INTEROP_PORT" \
        -S smtp-use-starttls -S smtp-auth=plain -S nosave \
        -S user="$INTEROP_USER" -S password="$INTEROP_PASSWORD" \
        -S tls-ca-file="$INTEROP_CA" -S tls-ca-no-defaults \
        -S tls-verify=strict \
        -s "Cron alert $INTEROP_TOKEN" "$INTEROP_TO" \
        >"$INTEROP_SCRATCH/dialog" 2>&1 ||
    fail "$(tail -n 8 "$INTEROP_SCRATCH/dialog")"
reply=$(sed -n 's/.*SERVER: \(250 .*\)/\1/p' "$INTEROP_SCRATCH/dialog" |
    tail -n 1)
echo "$(s-nail -V | awk 'NR == 1 { print $2 }' | tr -d v,) $reply"
