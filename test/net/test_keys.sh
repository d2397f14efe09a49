#!/bin/bash
# Keys change under a running download (SIGHUP), staged as operators do it: add, promote while the old one retires. It
# costs no connection; a server with other keys answers nothing of it.
. "$(dirname "$0")/daemon.sh"

topology_path --both delay=5 --down rate=30
daemon_setup
make_file big 12000000
old=$(grep -v '^#' "$KEY" | awk '{ print $3 }')
new=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')
daemon_start "$SERVER" daemon --stats "$TMP/stats"
# keys LINE...: the new key file, read again.
keys() {
    printf '%s\n' "$@" >"$KEY"
    local before
    before=$(grep -c 'keys read again' "$TMP/daemon.log" || true)
    kill -HUP "${PIDS[daemon]}"
    wait_for 5 "the keys to be read" sh -c "[ \$(grep -c 'keys read again' '$TMP/daemon.log') -gt $before ]"
}
counter() {
    rm -f "$TMP/stats"
    kill -USR1 "${PIDS[daemon]}"
    wait_for 2 "statistics" test -s "$TMP/stats"
    sed -E "s/.*\"$1\":([0-9]+).*/\1/" "$TMP/stats"
}

trickles curl -sS --fail --max-time 60 -o "$TMP/got" "$URL4/big" &
PIDS[curl]=$!
sleep 0.5
keys "1 current $old" "2 added $new"
sleep 0.4
keys "1 retiring $old" "2 current $new"
sleep 0.4
keys "1 retiring $old" "2 current $new" "3 added $old"
alive curl || fail "the download ended before the keys had changed"
status=0
wait "${PIDS[curl]}" || status=$?
unset "PIDS[curl]"
expect "exit code of a download while keys change" "$status" 0
cmp "$WWW/big" "$TMP/got" || fail "wrong bytes"
expect_between "refreshes" "$(counter refreshed)" 1 1000

# New connections use the new key, and outlive the old one.
trickles curl -sS --fail --max-time 60 -o "$TMP/got" "$URL4/big" &
PIDS[curl]=$!
sleep 0.5
keys "2 current $new"
status=0
wait "${PIDS[curl]}" || status=$?
unset "PIDS[curl]"
expect "exit code of a download that the old key does not concern" "$status" 0
cmp "$WWW/big" "$TMP/got" || fail "wrong bytes"
say "keys changed under downloads: $(counter refreshed) refreshes, no connection lost"
