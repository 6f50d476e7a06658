#!/usr/bin/env bash
# Starts the installed program as its unit does, in a root and in a network of its own, and joins a room by `virfie bot`.
#
#   unshare --net --pid --fork --kill-child tests/package/live.sh ROOT LOG
#
# There is no systemd in a root: what its unit says of user, environment, folders, limits and capabilities is done here.
set -euo pipefail

root=$1
log=$2
unit=$root/usr/lib/systemd/system/virfie.service
begun=$EPOCHREALTIME

# passed NAME: says how long it is since the server was started.
passed() {
    awk -v name="$1" -v begun="$begun" -v ended="$EPOCHREALTIME" \
        'BEGIN { printf "  %-34s %6.1f s\n", name, ended - begun }'
}

of_unit() {
    sed -n "s/^$1=//p" "$unit"
}

ip link set lo up
# Processes of this script's own namespace.
umount "$root/proc"
mount -t proc proc "$root/proc"
user=$(of_unit User)
mapfile -t environment < <(of_unit Environment)
read -ra command < <(of_unit ExecStart)
for folder in "var/lib/$(of_unit StateDirectory)" "var/cache/$(of_unit CacheDirectory)"; do
    chroot "$root" install -d -m 700 -o "$user" -g "$user" "/$folder"
done

# A niceness of -10 is 30 as a limit. In a container, even root may not raise all of them.
limits=()
for limit in --rtprio="$(of_unit LimitRTPRIO)" --nice=$((20 - $(of_unit LimitNICE))) --nofile="$(of_unit LimitNOFILE)"; do
    if prlimit "$limit" true 2>/dev/null; then limits+=("$limit"); else echo "  (this system does not allow $limit)"; fi
done

prlimit "${limits[@]}" \
    chroot "$root" setpriv --reuid "$user" --regid "$user" --init-groups --no-new-privs \
    --inh-caps=-all --bounding-set=-all env -i PATH=/usr/bin:/bin "${environment[@]}" \
    "${command[@]}" >>"$log" 2>&1 &
server=$!

until chroot "$root" virfie health >>"$log" 2>&1; do
    kill -0 "$server" 2>/dev/null || { echo "the server ended" >&2; exit 1; }
    awk -v begun="$begun" -v now="$EPOCHREALTIME" 'BEGIN { exit now - begun > 60 }' ||
        { echo "the server is not ready after a minute" >&2; exit 1; }
    sleep 0.2
done
passed "start to ready"

# It prints a line a second, and ends by itself. An open server serves people, and no users of other services.
seen=
while read -r line; do
    echo "$line" >>"$log"
    if [[ -z $seen && $line =~ \"frames_received\":[1-9] ]]; then
        seen=1
        passed "start to the first picture"
        # While somebody is there.
        curl -sSf -o "$log.jpg" http://127.0.0.1:8080/api/v1/rooms/demo/snapshot.jpg
    fi
done < <(timeout 60 chroot "$root" setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/tmp \
    virfie bot --room demo --size 320x180 --fps 10 --duration 20 2>>"$log")
[[ -n $seen ]] || { echo "no picture came" >&2; exit 1; }
[[ $(head -c 2 "$log.jpg" | od -An -tx1) == ' ff d8' ]] || { echo "the snapshot is no JPEG" >&2; exit 1; }

masks=$(curl -sSf http://127.0.0.1:8080/metrics | sed -n 's/^virfie_masks_total //p')
((${masks:-0} > 0)) || { echo "no mask was found" >&2; exit 1; }
grep -q "real_time=true above=true" "$log" || echo "  (this system lets no thread be real time)"

kill -TERM "$server"
ended=0
wait "$server" || ended=$?
((ended == 0)) || { echo "the server ended with $ended" >&2; exit 1; }
passed "start to a clean end"
