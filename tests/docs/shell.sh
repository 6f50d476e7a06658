# Bash reads this before the commands of a Markdown file (BASH_ENV). The numbers of the lines that fail go to $DOCS_FAULTS.
unset BASH_ENV
set -uo pipefail
trap 'echo "$LINENO" >>"$DOCS_FAULTS"' ERR

# As readers have it, but only an answer of 2xx is a success, and a stream (-N) ends after a second.
curl() {
    local said status=0 limit=()
    said=$(mktemp "$DOCS_SCRATCH/curl.XXXXXX")
    [[ " $* " != *" -N "* ]] || limit=(--max-time 1)
    command curl --silent --show-error --fail-with-body --write-out '%{stderr}\n%{http_code}\n' \
        --connect-timeout 5 --max-time 60 "${limit[@]}" "$@" 2>"$said" || status=$?
    # 28: the time is over, which is how a stream ends here.
    if { ((status == 0)) || { ((status == 28)) && ((${#limit[@]})); }; } &&
        ! grep -qE '^([013-9][0-9]{2})$' "$said"; then
        return 0
    fi
    echo "curl $*" >&2
    cat "$said" >&2
    return 1
}

# Blocks that build or install have to be marked: a test of the documentation changes nothing on the machine.
make() {
    echo "$FUNCNAME is not for a test: mark the block with <!-- not run: WHY -->" >&2
    return 1
}
cargo() { make; }
apt() { make; }
sudo() { make; }
