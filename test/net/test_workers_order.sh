#!/bin/bash
# Two workers answer one flow out of order; the client must not take that for loss. (Where the round trip is shorter than a busy
# host's scheduling, some of it looks like loss all the same: held for srtt / 4.)
. "$(dirname "$0")/daemon.sh"
need python3

topology_path --both delay=40,rate=100,queue=100000
daemon_setup
make_file file 8000000
daemon_start "$SERVER" daemon --workers 2 --stats "$TMP/stats"
for i in 1 2; do
    fetch curl "$URL4/file" "$TMP/got" || fail "curl ended with $?"
    cmp "$WWW/file" "$TMP/got" || fail "wrong bytes"
done
rm -f "$TMP/stats"
kill -USR1 "${PIDS[daemon]}"
wait_for 5 "statistics" test -s "$TMP/stats"
counter() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["counters"][sys.argv[2]])' "$TMP/stats" "$1"; }
expect_between "numbers passed" "$(counter filter-spent)" 4000 20000
path_stats | grep -q '"queue_drops":0.*"queue_drops":0' || fail "the path lost packets: $(path_stats)"
expect "numbers that looked lost" "$(counter filter-lost)" 0
say "$(counter filter-spent) numbers from two workers, none looked lost"
