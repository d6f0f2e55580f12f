#!/bin/sh
# Gives libpq the database password without putting it into the environment or a command line:
# the secret that Compose mounts becomes the password file that PGPASSFILE names.
set -eu

secret="${HPSEARCH_PASSWORD_FILE:-/run/secrets/postgres_password}"

if [ -n "${PGPASSFILE:-}" ] && [ -e "$secret" ]; then
    if [ ! -r "$secret" ] || [ ! -s "$secret" ]; then
        echo "hpsearch: the database password in $secret must be readable by user $(id -u) and not empty." >&2
        echo "Make the file again as docs/operations.md says, then start once more." >&2
        exit 1
    fi
    umask 077
    # In a password file a backslash stands before a colon or backslash that belongs to the value.
    printf '*:*:*:*:%s\n' "$(sed 's/[\\:]/\\&/g' "$secret")" >"$PGPASSFILE"
fi

exec hpsearch "$@"
