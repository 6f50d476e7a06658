#!/usr/bin/env bash
# Installs the Debian package as a new user would, in clean roots, and joins a room there.
#
#   tests/package/install.sh PACKAGE.deb [SUITE…]        as root; by default bookworm and trixie
#
# A root is made by debootstrap from the mirror that apt has here (or DEBIAN_MIRROR). Each step prints its seconds. KEEP=1
# leaves the roots where they are. What runs in a root has processes and a network of its own (`live.sh`), so that nothing
# of it stays.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
package=$(realpath "$1")
shift
suites=("$@")
((${#suites[@]})) || suites=(bookworm trixie)
((EUID == 0)) || { echo "this makes roots of systems: run it as root" >&2; exit 1; }

# Mounts of this script are seen by nobody else, and end with it.
if [[ ${PACKAGE_UNSHARED:-} != 1 ]]; then
    exec env PACKAGE_UNSHARED=1 unshare --mount "${BASH_SOURCE[0]}" "$package" "${suites[@]}"
fi

mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' \
    'Origin: Debian' 'Label: Debian' 'Created-By: Packages' | sort -u | head -n 1)}
[[ -n $mirror ]] || { echo "apt has no mirror of Debian here: set DEBIAN_MIRROR" >&2; exit 1; }
place=$(mktemp -d "${TMPDIR:-/tmp}/virfie-package.XXXXXX")
log=$place/log

finish() {
    local status=$?
    ((status == 0)) || { echo "FAILED: the end of what was printed:" >&2; tail -n 25 "$log" >&2; }
    if [[ ${KEEP:-} == 1 ]]; then
        echo "kept: $place"
    else
        # The files of /proc are no files.
        umount "$place"/*/proc 2>/dev/null || true
        rm -rf --one-file-system "$place"
    fi
}
trap finish EXIT

# step NAME COMMAND…: runs it and says how long it took.
step() {
    local name=$1 begun=$EPOCHREALTIME
    shift
    # Not in a condition: there, errors inside a function would be passed over.
    "$@" >>"$log" 2>&1
    awk -v name="$name" -v begun="$begun" -v ended="$EPOCHREALTIME" \
        'BEGIN { printf "  %-34s %6.1f s\n", name, ended - begun }'
}

prepare() {
    mount -t proc proc "$root/proc"
    # Services cannot be started here, and packages need not try.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    cp --no-clobber /etc/resolv.conf "$root/etc/resolv.conf" || true
    apt-config dump | grep -E '^Acquire::[a-z]+::proxy' -i >"$root/etc/apt/apt.conf.d/90proxy" || true
    cp "$package" "$root/tmp/virfie.deb"
    chroot "$root" apt-get update -qq
}

apt_get() {
    chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -y -qq "$@"
}

# What the package must have left.
look() {
    chroot "$root" bash -euxc '
        [[ $(stat -c "%U:%G %a" /etc/virfie) == "root:virfie 750" ]]
        id virfie
        grep -qx "#listen = .*" /etc/virfie/virfie.toml
        dpkg-query -W -f "\${Conffiles}" virfie | grep -q /etc/virfie/virfie.toml
        [[ -L /etc/systemd/system/multi-user.target.wants/virfie.service ]]
        [[ -f /usr/lib/$(dpkg --print-architecture | sed "s/amd64/x86_64/; s/arm64/aarch64/")-linux-gnu/gstreamer-1.0/libgstbodypix.so ]]
        for page in virfie virfie-serve virfie-bot virfie-model-fetch; do
            gzip -dc /usr/share/man/man1/$page.1.gz | grep -q "^\.TH"
        done
        bash -n /usr/share/bash-completion/completions/virfie
        [[ -s /usr/share/zsh/vendor-completions/_virfie && -s /usr/share/fish/vendor_completions.d/virfie.fish ]]
        [[ $(ldd /usr/bin/virfie) != *"not found"* ]]
        virfie --version'
}

# What it must not leave.
look_for_rest() {
    local left
    for left in /etc/virfie /var/lib/virfie /var/cache/virfie /usr/bin/virfie; do
        [[ ! -e $root$left ]] || { echo "$left is left" >&2; return 1; }
    done
}

echo "$(basename "$package"): $(($(stat -c %s "$package") / 1000000)) MB"
for suite in "${suites[@]}"; do
    root=$place/$suite
    echo "$suite"
    step "a clean root" debootstrap --variant=minbase "$suite" "$root" "$mirror"
    step "lists of packages" prepare
    begun=$EPOCHREALTIME
    step "install" apt_get install --no-install-recommends /tmp/virfie.deb
    step "what is installed" look
    # A machine of its own for the processes: they end with the first of them.
    unshare --net --pid --fork --kill-child "$here/live.sh" "$root" "$log"
    awk -v begun="$begun" -v ended="$EPOCHREALTIME" \
        'BEGIN { printf "  %-34s %6.1f s\n", "from install to the end", ended - begun }'
    step "purge" apt_get purge virfie
    step "what is left" look_for_rest
    umount "$root/proc"
    [[ ${KEEP:-} == 1 ]] || rm -rf --one-file-system "$root"
done
