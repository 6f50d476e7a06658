#!/usr/bin/env bash
# The demonstration: a server and three people in the room `demo`. Ctrl-C ends all of it.
#
#   tests/demo.sh PROGRAM [arguments of `virfie serve`]
#
# The people are one portrait, three times: as it is, mirrored and without colour, and from nearer. BOT_ARGS are arguments
# of `virfie bot` in place of that, for instance BOT_ARGS='--video clip.mp4'.
set -euo pipefail

program=$1
shift
portrait=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/models/pictures/portrait.jpg
place=$(mktemp -d "${TMPDIR:-/tmp}/virfie-demo.XXXXXX")
pids=()

finish() {
    trap - EXIT INT TERM
    # Some may have ended already.
    kill "${pids[@]}" 2>/dev/null || true
    wait || true
    rm -rf "$place"
}
trap finish EXIT
trap 'exit 0' INT TERM

# picture NAME EFFECTS: the portrait after some elements of GStreamer, as a camera would show it.
picture() {
    # shellcheck disable=SC2086 # several elements
    gst-launch-1.0 -q filesrc location="$portrait" ! jpegdec ! videoconvert ! $2 ! videoscale \
        ! video/x-raw,width=640,height=360,pixel-aspect-ratio=1/1 ! jpegenc quality=95 \
        ! filesink location="$place/$1.jpg"
}
# Near enough that little is left of the flag and the rocket beside her, parts of which may be taken for somebody.
picture ann "videocrop left=70 right=58 bottom=296"
picture ben "videocrop left=30 right=128 bottom=313 ! videoflip method=horizontal-flip ! videobalance saturation=0"
picture cleo "videocrop left=76 right=68 bottom=305"

"$program" serve "$@" >"$place/said" &
server=$!
pids=("$server")
until address=$(grep -oE 'https?://[^ ]+' "$place/said"); do
    kill -0 "$server" 2>/dev/null || exit 1
    sleep 0.1
done
address=${address%%$'\n'*}
address=${address%/}

tone=440
for name in ann ben cleo; do
    # shellcheck disable=SC2086 # several arguments
    "$program" bot --server "$address" --room demo --name "$name" --tone "$tone" \
        ${BOT_ARGS:---video "$place/$name.jpg"} >/dev/null &
    pids+=("$!")
    tone=$((tone + 220))
done

echo "The demonstration runs: open $address/r/demo (Ctrl-C ends it)"
wait "$server"
