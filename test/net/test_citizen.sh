#!/bin/bash
# What an operator expects of a daemon: it checks its configuration, gives up its rights, logs requests, tells a monitor its
# counters, and remembers what it opened only within a bound.
. "$(dirname "$0")/daemon.sh"
need python3

topology_direct
daemon_setup
make_file file 3000000
chmod 755 "$TMP"
chmod -R a+rX "$WWW"
tricklesd() { in_ns "$SERVER" timeout 10 "$BIN/tricklesd" "$@"; }
status_of() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status"; }
download() { fetch curl "$URL4/file" "$TMP/got" && cmp "$WWW/file" "$TMP/got" || fail "$1"; }

# ---- --check ----
# check STATUS WORDS OPTION...
check() {
    local want=$1 words=$2 status=0; shift 2
    tricklesd --check "$@" >"$TMP/said" 2>&1 || status=$?
    expect "status of --check $*" "$status" "$want"
    expect "lines of --check $*" "$(wc -l <"$TMP/said")" 1
    grep -q -- "$words" "$TMP/said" || fail "--check $*: $(<"$TMP/said")"
}
good=(--root "$WWW" --key-file "$KEY" --listen "$SERVER4:80" --workers 2 --user nobody)
check 0 "is fine" "${good[@]}"
check 1 "No such file" "${good[@]}" --key-file "$TMP/none"
check 1 "No such file" "${good[@]}" --root "$TMP/none"
check 1 "not a listen address" "${good[@]}" --listen nonsense
check 1 "no such user" "${good[@]}" --user nobody-at-all
check 2 "at most 64" "${good[@]}" --workers 65
check 2 "goes with --workers" --root "$WWW" --control "$TMP/control"
check 2 "at least 4" "${good[@]}" --cache-memory 1
head -c 100 "$KEY" >"$TMP/torn"
chmod 600 "$TMP/torn"
check 1 "torn" "${good[@]}" --key-file "$TMP/torn"
if listens "$SERVER" 80; then fail "--check listens"; fi

# ---- rights, of one process ----
daemon_start "$SERVER" daemon --user nobody
expect "user" "$(status_of "${PIDS[daemon]}" Uid)" "$(id -u nobody)"
expect "capabilities" "$(status_of "${PIDS[daemon]}" CapEff)" 0000000000002000
download "a daemon that gave up its rights"
stop daemon

# ---- rights of workers; log, metrics, cache ----
daemon_start "$SERVER" daemon --user nobody --workers 2 --access-log "$TMP/access" --metrics 127.0.0.1:9100 --cache-memory 256
mapfile -t workers < <(pgrep -P "${PIDS[daemon]}")
expect "workers" ${#workers[@]} 2
for pid in "${workers[@]}"; do
    expect "a worker's user" "$(status_of "$pid" Uid)" "$(id -u nobody)"
    expect "a worker's capabilities" "$(status_of "$pid" CapEff)" 0000000000000000
    expect "a worker's permitted capabilities" "$(status_of "$pid" CapPrm)" 0000000000000000
done
download "workers without rights"
kill -KILL "${workers[0]}"
download "a new worker without rights"
trickles curl -sS -o /dev/null "$URL4/none%22%0a" || fail "a request for what is not there"
grep -qE "^$CLIENT4 - - \[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} \+0000\] \"GET /file HTTP/1.1\" 200 30[0-9]{5} [0-9a-f]{24}:0\$" "$TMP/access" ||
    fail "the access log: $(<"$TMP/access")"
grep -qE '"GET /none\?\? HTTP/1.1" 404 ' "$TMP/access" || fail "the access log: $(<"$TMP/access")"
expect "lines of the access log" "$(wc -l <"$TMP/access")" 3

# A monitor that says nothing holds up nobody.
in_ns "$SERVER" "$PYTHON" - <<'MONITOR' || fail "metrics"
import re, socket, time, urllib.request
silent = [socket.create_connection(("127.0.0.1", 9100)) for _ in range(3)]
began = time.monotonic()
text = urllib.request.urlopen("http://127.0.0.1:9100/metrics", timeout=5).read().decode()
assert time.monotonic() - began < 1, "slow"
values = {}
lines = text.splitlines()
for help_line, type_line, value_line in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
    name, value = value_line.split(" ")
    assert re.fullmatch("trickles_[a-z_]+", name) and help_line.startswith(f"# HELP {name} ") and int(value) >= 0, value_line
    assert type_line == f"# TYPE {name} " + ("counter" if name.endswith("_total") else "gauge"), type_line
    values[name] = int(value)
assert values["trickles_answered_total"] > 20 and values["trickles_workers"] == 2 and values["trickles_workers_replaced_total"] == 1, values
assert values["trickles_cache_hits_total"] > 20 and 0 < values["trickles_cache_entries"] <= 2 * 256 * 1024 / 256, values
try:
    urllib.request.urlopen("http://127.0.0.1:9100/other", timeout=5)
    raise AssertionError("/other is there")
except urllib.error.HTTPError as e:
    assert e.code == 404
for s in silent:
    s.close()
MONITOR
stop daemon
expect "exit status" "$STOPPED" 0
say "checks, rights, log, metrics and cache: fine"
