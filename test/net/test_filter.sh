#!/bin/bash
# The replay filter as an operator meets it: what it counts, that named memory outlives a kill -9 and what it remembers goes
# on, and bad options. A replayed request is answered by no data.
. "$(dirname "$0")/lib.sh"

need_net
need curl python3
need_built "$BIN/tricklesd" "$BIN/trickles"
NAME=trk-test-$$
forget() { local status=$?; rm -f "/dev/shm/$NAME"; return "$status"; }
trap 'forget; cleanup' EXIT
topology_direct
mkdir "$TMP/www"
head -c 3000000 /dev/urandom >"$TMP/www/file"
"$BIN/tricklesd" --generate-key "$TMP/key"

serve() { start daemon "$SERVER" "$BIN/tricklesd" --root "$TMP/www" --listen "$SERVER4:80" --key-file "$TMP/key" --stats "$TMP/stats" "$@"; wait_for_port "$SERVER" 80; }
# counter NAME: its value when the daemon is asked now.
counter() {
    rm -f "$TMP/stats"
    kill -USR1 "${PIDS[daemon]}"
    wait_for 5 "statistics" test -s "$TMP/stats"
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["counters"].get(sys.argv[2], "none"))' "$TMP/stats" "$1"
}
download() { in_ns "$CLIENT" "$BIN/trickles" --require -- curl -sS -m 30 -o "$TMP/got" "http://$SERVER4/file" && cmp "$TMP/got" "$TMP/www/file"; }

# ---- none ----
serve --filter-memory 0
download || fail "download without a filter"
expect "a counter of no filter" "$(counter filter-spent)" none
stop daemon

# ---- private ----
serve --filter-memory 1024
download || fail "download with a filter"
[ "$(counter filter-spent)" -gt 500 ] || fail "the filter passed too few numbers for 3 MB"
expect "connections" "$(counter filter-connections)" 1
stop daemon
[ ! -e "/dev/shm/$NAME" ] || fail "private memory has a name"

# ---- named: it survives the daemon, and a download goes on through kill -9 ----
serve --filter-memory 1024 --filter-name "$NAME"
(in_ns "$CLIENT" "$BIN/trickles" --require -- curl -sS -m 60 --limit-rate 1500k -o "$TMP/got" "http://$SERVER4/file") &
curl_pid=$!
for _ in 1 2 3; do
    sleep 0.4
    kill -9 "${PIDS[daemon]}"
    stop daemon
    serve --filter-memory 1024 --filter-name "$NAME"
done
wait "$curl_pid" || fail "curl through three kills"
cmp "$TMP/got" "$TMP/www/file" || fail "wrong bytes after three kills"
before=$(counter filter-spent)
kill -9 "${PIDS[daemon]}"
stop daemon
serve --filter-memory 1024 --filter-name "$NAME"
expect "numbers remembered over a kill -9" "$(counter filter-spent)" "$before"
expect "nobody was sent to another domain" "$(counter wrong-domain)" 0
stop daemon

# ---- bad options and bad memory: one line, an exit code ----
bad() {
    local status=0 want=$1 words=$2; shift 2
    in_ns "$SERVER" timeout -k 1 5 "$BIN/tricklesd" --root "$TMP/www" --listen "$SERVER4:80" --key-file "$TMP/key" "$@" 2>"$TMP/err" || status=$?
    expect "exit code of $*" "$status" "$want"
    expect "lines of $*" "$(wc -l <"$TMP/err")" 1
    grep -q -- "$words" "$TMP/err" || fail "$*: $(<"$TMP/err")"
}
bad 2 "at least 64" --filter-memory 10
bad 2 "without a slash" --filter-name a/b
bad 1 "another size" --filter-memory 2048 --filter-name "$NAME"
bad 1 "another domain" --filter-memory 1024 --filter-name "$NAME" --domain 7
chmod 666 "/dev/shm/$NAME"
bad 1 "others may open it" --filter-memory 1024 --filter-name "$NAME"
say "filter: fine"
