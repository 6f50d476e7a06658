#!/usr/bin/env bash
# The demonstration: a server and three bots in the room `demo`. Ctrl-C ends all of them.
#
#   tests/demo.sh PROGRAM [arguments of `virfie serve`]
#
# BOT_ARGS are arguments of `virfie bot`, for instance BOT_ARGS='--video clip.mp4'.
set -euo pipefail

program=$1
shift
said=$(mktemp "${TMPDIR:-/tmp}/virfie-demo.XXXXXX")
pids=()

finish() {
    trap - EXIT INT TERM
    # Some may have ended already.
    kill "${pids[@]}" 2>/dev/null || true
    wait || true
    rm -f "$said"
}
trap finish EXIT
trap 'exit 0' INT TERM

"$program" serve "$@" >"$said" &
server=$!
pids=("$server")
until address=$(grep -oE 'https?://[^ ]+' "$said"); do
    kill -0 "$server" 2>/dev/null || exit 1
    sleep 0.1
done
address=${address%%$'\n'*}
address=${address%/}

if [ -z "${BOT_ARGS:-}" ]; then
    # The bots' test picture shows nobody who could be cut out, so whole pictures are asked for.
    curl -fsS -o /dev/null -X PUT "$address/api/v1/rooms/demo" -H 'Content-Type: application/json' -d '{}'
    curl -fsS -o /dev/null -X PATCH "$address/api/v1/rooms/demo/layout" \
        -H 'Content-Type: application/merge-patch+json' -d '{"auto": {"mode": "grid", "cutout": "none"}}'
fi
tone=440
for name in ann ben cleo; do
    # shellcheck disable=SC2086 # several arguments
    "$program" bot --server "$address" --room demo --name "$name" --tone "$tone" ${BOT_ARGS:-} >/dev/null &
    pids+=("$!")
    tone=$((tone + 220))
done

echo "The demonstration runs: open $address/r/demo (Ctrl-C ends it)"
wait "$server"
