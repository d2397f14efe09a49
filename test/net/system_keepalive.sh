#!/bin/bash
# One connection for many requests: several URLs in one curl, 500 small requests whose packets are counted, ranges.
. "$(dirname "$0")/daemon.sh"

topology_direct
daemon_setup
make_file one 1000
make_file two 200000
make_file three 5
make_file kilobyte 1024
daemon_start "$SERVER"

# Several URLs in one call of curl share one connection.
capture_start "$SERVER" s0 urls
trickles curl -sS --fail --max-time 20 -o "$TMP/one" "$URL4/one" -o "$TMP/two" "$URL4/two" -o "$TMP/three" "$URL4/three" ||
    fail "curl ended with $?"
for file in one two three; do cmp "$WWW/$file" "$TMP/$file" || fail "$file: wrong bytes"; done
capture_stop urls
capture_is_ours urls
expect "connections for three URLs" "$(counted connections)" 1

# 500 requests on one connection. A 1 KB answer should need about one packet each way; three is far too many.
capture_start "$SERVER" s0 many
trickles "$PYTHON" "$NET_DIR/http_keepalive.py" "$SERVER4" /kilobyte 500 "$WWW/kilobyte" >"$TMP/python.log" 2>&1 ||
    fail "500 requests on one connection"
capture_stop many
capture_is_ours many
expect "connections for 500 requests" "$(counted connections)" 1
up=$(counted up) down=$(counted down)
say "500 requests: $(awk -v u="$up" -v d="$down" 'BEGIN { printf "%.2f packets up, %.2f down for each", u / 500, d / 500 }')"
expect_between "packets up for 500 requests" "$up" 500 1000
expect_between "packets down for 500 requests" "$down" 500 1000

# Ranges: from the middle, open-ended, the last bytes, resuming, and one that lies outside.
range() { # RANGE FIRST COUNT
    trickles curl -sS --fail --max-time 20 -r "$1" -o "$TMP/part" -w '%{http_code}' "$URL4/two" >"$TMP/code" || fail "range $1: curl ended with $?"
    expect "status of range $1" "$(cat "$TMP/code")" 206
    expect "length of range $1" "$(stat -c %s "$TMP/part")" "$3"
    cmp -n "$3" -i "$2:0" "$WWW/two" "$TMP/part" || fail "range $1: wrong bytes"
}
range 0-0 0 1
range 1000-150999 1000 150000
range 199999- 199999 1
range -500 199500 500
head -c 70000 "$WWW/two" >"$TMP/resumed"
trickles curl -sS --fail --max-time 20 -C - -o "$TMP/resumed" "$URL4/two" || fail "curl -C -: ended with $?"
cmp "$WWW/two" "$TMP/resumed" || fail "a resumed download: wrong bytes"
expect "a range outside of the file" "$(trickles curl -sS --max-time 20 -r 200000- -o /dev/null -w '%{http_code}' "$URL4/two")" 416
