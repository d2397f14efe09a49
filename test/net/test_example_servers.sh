#!/bin/bash
# The servers of examples/, as their first lines say they are run; each is killed or moved in the middle where it can be.
. "$(dirname "$0")/daemon.sh"
need ncat
topology_direct
daemon_setup
need_built "$BIN/lines" "$BIN/files" "$BIN/stream" "$BIN/migrate"
serve() {      # NAME PROGRAM PORT [argument...]
    local name=$1 program=$2 port=$3; shift 3
    start "$name" "$SERVER" "$BIN/$program" "*:$port" "$KEY" "$@"
    wait_for_port "$SERVER" "$port"
}

# lines: more than fits into a packet, lines that packets cut, one that does not end
serve lines lines 7001
seq 1 2000 | awk '{ printf "%s some words to make it longer %s\n", $1, $1 * 7 }' >"$TMP/in"
printf 'no newline' >>"$TMP/in"
awk '{ printf "%d: %s\n", NR, $0 }' "$TMP/in" | head -c -1 >"$TMP/wanted"
trickles timeout 60 ncat "$SERVER4" 7001 <"$TMP/in" >"$TMP/got" || fail "ncat ended with $?"
cmp "$TMP/wanted" "$TMP/got" || fail "lines: wrong bytes"
stop lines

# files: two on one connection, killed on the way; what is not there; a file that changes
make_file big 20000000
make_file small 100
serve files files 7002 "$WWW"
trickles curl -sS --max-time 60 "http://$SERVER4:7002/small" -o "$TMP/small" "http://$SERVER4:7002/big" -o "$TMP/big" --limit-rate 30M &
PIDS[curl]=$!
for _ in 1 2 3; do
    sleep 0.1
    stop files KILL 2>/dev/null
    serve files files 7002 "$WWW"
done
wait "${PIDS[curl]}" || fail "files: curl ended with $?"
unset "PIDS[curl]"
cmp "$WWW/small" "$TMP/small" || fail "files: small"
cmp "$WWW/big" "$TMP/big" || fail "files: big"
for path in none ../key %2e%2e/key; do
    expect "files: status of /$path" "$(trickles curl -sS --path-as-is --max-time 20 -o /dev/null -w '%{http_code}' "http://$SERVER4:7002/$path")" 404
done
rm -f "$TMP/big"
{ trickles curl -sS --max-time 30 --limit-rate 2M -o "$TMP/big" "http://$SERVER4:7002/big" || echo $? >"$TMP/curl.status"; } 2>/dev/null &
PIDS[curl]=$!
wait_for 10 "the download to begin" [ -s "$TMP/big" ]
touch "$WWW/big"
wait "${PIDS[curl]}" || true
unset "PIDS[curl]"
expect "files: curl's exit code for a file that changed" "$(cat "$TMP/curl.status")" 56
stop files

# stream: as long as it is
serve stream stream 7003
for number in 1 27 77031; do
    awk -v n=$number 'BEGIN { for (;;) { printf "data: %d\n\n", n; if (n <= 1) exit; n = n % 2 ? 3 * n + 1 : n / 2 } }' >"$TMP/wanted"
    trickles curl -sS --max-time 20 -o "$TMP/got" "http://$SERVER4:7003/$number" || fail "stream: curl ended with $?"
    cmp "$TMP/wanted" "$TMP/got" || fail "stream: $number"
done
stop stream

# pages: all rows, page by page; a row that changes while its page is read
if [ -e "$BIN/pages" ]; then
    "$PYTHON" - "$TMP/items.db" <<'PYTHON'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
db.executemany("INSERT INTO items VALUES (?, ?)", ((3 * i, f'the "item" number {i} ' + 'x' * (i % 200)) for i in range(1, 1001)))
db.commit()
PYTHON
    serve pages pages 7004 "$TMP/items.db"
    trickles "$PYTHON" - "$SERVER4" >"$TMP/pages.log" 2>&1 <<'PYTHON' || fail "pages: wrong rows"
import http.client, json, sys
c = http.client.HTTPConnection(sys.argv[1], 7004, timeout=20)
path, rows, pages = "/items", [], 0
while path:
    c.request("GET", path)
    page = json.load(c.getresponse())
    rows += page["items"]
    path = page["next"]
    pages += 1
assert pages == 20 and [r["id"] for r in rows] == [3 * i for i in range(1, 1001)], (pages, len(rows))
assert rows[41]["name"] == 'the "item" number 42 ' + 'x' * 42, rows[41]
PYTHON
    stop pages
elif pkg-config --exists sqlite3; then
    fail "pages is not built"
fi

# migrate: the front answers nobody, the back answers as the front; without the key, or without a way to the client, it refuses
yes 'hello, world' | head -n 100000 >"$TMP/wanted" || true
back() { start back "$SERVER" "$BIN/migrate" back "*:7006" "${1:-$KEY}" 127.0.0.1:9000; wait_for_port "$SERVER" 7006; }
start front "$SERVER" "$BIN/migrate" front "*:7005" "$KEY" 127.0.0.1:9000
wait_for_port "$SERVER" 7005
back
trickles timeout 20 ncat --recv-only "$SERVER4" 7005 >"$TMP/got" || fail "migrate: ncat ended with $?"
cmp "$TMP/wanted" "$TMP/got" || fail "migrate: wrong bytes"
trickles timeout 20 ncat -6 --recv-only "$SERVER6" 7005 >"$TMP/got" || fail "migrate: IPv6: ncat ended with $?"
cmp "$TMP/wanted" "$TMP/got" || fail "migrate: IPv6: wrong bytes"
stop back
"$BIN/tricklesd" --generate-key "$TMP/other" >/dev/null
back "$TMP/other"
trickles timeout 3 ncat --recv-only "$SERVER4" 7005 >"$TMP/got" 2>/dev/null || true
expect "bytes from a back without the key" "$(wc -c <"$TMP/got")" 0
grep -q 'refused what came: Required key not available' "$TMP/back.log" || fail "a back without the key says nothing"
stop back
say "every example did what it says"
