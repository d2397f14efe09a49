#!/bin/bash
# The daemon's resident memory with 1 and with 1,000 connections that stay open differs by at most 64 KB.
. "$(dirname "$0")/daemon.sh"

topology_direct
daemon_setup
make_file small 100
daemon_start "$SERVER"
resident_kb() { awk '/^VmRSS:/ { print $2 }' "/proc/${PIDS[daemon]}/status"; }

# hold NAME COUNT: COUNT connections are open when it returns.
hold() {
    mkfifo "$TMP/$1.stdin"
    in_ns "$CLIENT" env TRICKLES=require "$BIN/trickles" "$PYTHON" "$NET_DIR/hold_connections.py" \
        "$SERVER4" "$PORT" "$2" /small <"$TMP/$1.stdin" >"$TMP/$1.log" 2>&1 &
    PIDS[$1]=$!
    exec {hold_fd}>"$TMP/$1.stdin"
    wait_for 90 "$2 open connections" holds "$1"
}
holds() {
    alive "$1" || fail "$1: the client ended early"
    grep -q '^open' "$TMP/$1.log"
}

# What the first requests touch for the first time (code, heap, the file) is not a connection's price.
for i in 1 2 3; do trickles curl -sS --fail -o /dev/null "$URL4/small" || fail "warm-up $i"; done
hold one 1
one=$(resident_kb)
hold thousand 999
thousand=$(resident_kb)
say "resident: $one kB with 1 connection, $thousand kB with 1,000"
expect_between "resident memory of 999 more connections, kB" $((thousand - one)) -1000000 64
