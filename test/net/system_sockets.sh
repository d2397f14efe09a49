#!/bin/bash
# Awkward HTTP and awkward sockets: what real clients do, and stacks get wrong.
. "$(dirname "$0")/daemon.sh"

topology_direct
daemon_setup
make_file some 300000
make_file large 20000000
make_file megabyte 1000000
daemon_start "$SERVER"
capture_start "$SERVER" s0

repeat() { head -c "$2" /dev/zero | tr '\0' "$1"; }
# status_of CURL-ARGUMENT...: the status that curl saw.
status_of() { trickles curl -sS --max-time 30 -o "$TMP/body" -w '%{http_code}' "$@" || fail "curl ended with $?: ${*: -1}"; }

# HTTP
expect "a 6 KB cookie" "$(status_of -b "c=$(repeat c 6000)" "$URL4/some")" 200
cmp "$WWW/some" "$TMP/body" || fail "6 KB cookie: wrong bytes"
for i in 1 2 3 4; do printf 'X-Long-%d: %s\n' "$i" "$(repeat "$i" 16300)"; done >"$TMP/headers"
expect "64 KB of headers" "$(status_of -H "@$TMP/headers" "$URL4/some")" 431
expect "a 1 MB POST" "$(status_of -H 'Expect:' --data-binary "@$WWW/megabyte" "$URL4/some")" 405
[ -s "$TMP/body" ] || fail "the 405 says nothing to a person"
expect "a 1 MB POST that waits for 100 Continue" "$(status_of -H 'Expect: 100-continue' --data-binary "@$WWW/megabyte" "$URL4/some")" 405
expect "a missing file" "$(status_of "$URL4/nothing")" 404
case $(status_of --path-as-is "$URL4/../key") in
    400|403|404) ;;
    *) fail "an escape from the root was answered: $(head -c 100 "$TMP/body")" ;;
esac

# Sockets
socket_case() {
    local name=$1; shift
    trickles "$PYTHON" "$NET_DIR/socket_cases.py" "$name" "$SERVER4" "$PORT" "$@" >"$TMP/$name.log" 2>&1 || fail "socket case $name"
    say "$name: passed"
}
socket_case halfclose /some "$WWW/some"
socket_case pipeline /some "$WWW/some"
socket_case drip /some "$WWW/some"
socket_case expect /some "$WWW/some"
socket_case stall /large "$WWW/large"

capture_stop
capture_is_ours
say "captured: $COUNTS"

# A server that speaks first
need_built "$BIN/greeter"
stop daemon
start greeter "$SERVER" "$BIN/greeter" --listen "0.0.0.0:$PORT" --key-file "$KEY"
wait_for 5 "the greeter to listen" listens "$SERVER" "$PORT"
socket_case greeting
say "greeting: $(head -n 1 "$TMP/greeting.log")"
