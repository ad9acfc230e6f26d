#!/usr/bin/env bash
# Try the image's steps where no container engine is: the files of the build context, an environment of their
# own, an unprivileged user, the image's variables and command. Run as root; leaves nothing behind. PYTHON is the
# interpreter to use; it must be one that every user may run.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'try-image: %s\n' "$*"; }
fail() { say "FAILED: $*"; [ -f "$work/log" ] && tail -20 "$work/log"; exit 1; }

[ "$(id -u)" = 0 ] || { echo "try-image: run as root: it makes a user" >&2; exit 2; }
user="coordtry$$"
work=$(mktemp -d)
server=""
cleanup() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    userdel "$user" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
chmod 755 "$work"

useradd --no-create-home --home-dir "$work" --shell /usr/sbin/nologin "$user"
as_user() { runuser -u "$user" -- "$@"; }
for candidate in ${PYTHON:-python3 /usr/bin/python3 /usr/local/bin/python3}; do
    rm -rf "$work/venv"
    "$candidate" -m venv --without-pip "$work/venv" 2>/dev/null || continue
    (cd "$work" && as_user "$work/venv/bin/python" -c 'import sqlite3, ssl, sys; assert sys.version_info >= (3, 11)') \
        2>/dev/null && break
    rm -rf "$work/venv"
done
[ -x "$work/venv/bin/python" ] || fail "no Python 3.11 that every user may run; name one with PYTHON=…"

say "build stage: only what .dockerignore lets in"
mkdir "$work/src" "$work/data"
sed -n 's/^!//p' .dockerignore | while read -r path; do
    mkdir -p "$work/src/$(dirname "$path")"
    cp -R "$path" "$work/src/$path"
done
find "$work/src" -name __pycache__ -prune -exec rm -rf {} +
for path in $(sed -n 's/^COPY \([^-].*\) [^ ]*$/\1/p' Dockerfile); do
    [ -e "$work/src/$path" ] || fail "the Dockerfile copies $path, which .dockerignore keeps out"
done
extras=$(sed -n "s/.*'\.\(\[[a-z,-]*\]\)'.*/\1/p" Dockerfile)
say "installing coord$extras with the pinned versions"
(cd "$work/src" && python3 -m pip --python "$work/venv/bin/python" install --quiet --disable-pip-version-check \
    --constraint constraints.txt ".$extras") 2>"$work/log" || fail "pip install"

say "runtime stage: an unprivileged user, git that trusts every checkout"
chown "$user" "$work/data"
git config --file "$work/gitconfig" --add safe.directory '*'
git init --quiet "$work/checkout"
git -C "$work/checkout" remote add origin https://code.example/org/app.git
mkdir -p "$work/checkout/src" && touch "$work/checkout/src/a.py" && git -C "$work/checkout" add -A
chmod -R a+rX "$work/checkout" "$work/venv" "$work/src"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
variables=("PATH=$work/venv/bin:$PATH" "GIT_CONFIG_SYSTEM=$work/gitconfig" "COORD_REPO_ROOT=$work/checkout")
while read -r variable; do
    case "$variable" in
        PATH=*) ;;
        COORD_PORT=*) variables+=("COORD_PORT=$port") ;;
        COORD_HOST=*) variables+=("COORD_HOST=127.0.0.1") ;;
        *) variables+=("${variable//\/data/$work/data}") ;;
    esac
done < <(sed -n 's/^ENV //p' Dockerfile)
inside() { (cd "$work" && as_user env -i "${variables[@]}" "$@"); }
command=$(sed -n 's/^CMD \[\(.*\)\]$/\1/p' Dockerfile | tr -d '",')

start() {
    inside $command >>"$work/log" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        inside python "$work/src/deploy/healthcheck.py" && return
        kill -0 "$server" 2>/dev/null || fail "'$command' ended"
        sleep 0.2
    done
    fail "not healthy within 60 s"
}
stop() {
    kill -TERM "$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$work/data/coord.pid")"
    wait "$server" && code=0 || code=$?
    server=""
    [ "$code" = 0 ] || fail "the service ended with $code on SIGTERM"
}
call() { inside python -c '
import json, sys, urllib.request
method, url, token, body = sys.argv[1:5]
request = urllib.request.Request(url, body.encode() or None, {"Content-Type": "application/json"}, method=method)
request.add_header("Authorization", f"Bearer {token}")
print(urllib.request.urlopen(request, timeout=20).read().decode())
' "$@"; }

say "starting '$command' as $user, HEALTHCHECK until healthy"
start
token=$(cat "$work/data/token")
base="http://127.0.0.1:$port"
claim='{"engineer": "alice", "repo": "org/app", "claims": [{"type": "file", "pattern": "src/**"}]}'
call POST "$base/claims" "$token" "$claim" | grep -q '"claim_ids":\["' || fail "the claim was not granted"
call GET "$base/conflicts?pattern=src/a.py&engineer=bob&repo=org/app" "$token" "" | grep -q '"overlap":\["src/a.py"\]' \
    || fail "git does not read a checkout of somebody else's"
find "$work/data" ! -user "$user" | grep -q . && fail "files in /data that are not the user's"

say "stopping with SIGTERM, starting again on the same /data"
stop
start
call GET "$base/claims?repo=org/app" "$token" "" | grep -q '"pattern":"src/\*\*"' || fail "the claim did not last"
stop
say "passed"
