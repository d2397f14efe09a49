#!/bin/bash
# 1,000 downloads while a worker is killed by kill -9 every 100 ms: none fails, no byte is wrong.
. "$(dirname "$0")/daemon.sh"
need python3

downloads=1000 at_once=4
topology_direct
daemon_setup
make_file file 300000
daemon_start "$SERVER" daemon --workers 2 --stats "$TMP/stats"
RANDOM=${TRICKLES_SEED:-$$}
say "seed ${TRICKLES_SEED:-$$} (TRICKLES_SEED=N repeats its choices)"

killer() {
    local pids kills=0
    trap 'echo "$kills" >"$TMP/kills"; exit 0' TERM
    while :; do
        sleep 0.07                       # and some for looking
        mapfile -t pids < <(pgrep -P "${PIDS[daemon]}")
        [ ${#pids[@]} -eq 0 ] || ! kill -KILL "${pids[RANDOM % ${#pids[@]}]}" 2>/dev/null || kills=$((kills + 1))
    done
}
series() {
    local i
    for ((i = 0; i < downloads / at_once; i++)); do
        if ! fetch curl "$URL4/file" "$TMP/got.$1"; then echo "curl failed"; elif ! cmp "$WWW/file" "$TMP/got.$1"; then echo "wrong bytes"; fi
    done >"$TMP/series.$1.log" 2>&1
    echo end >"$TMP/series.$1.end"
}
killer &
PIDS[killer]=$!
began=$(milliseconds)
for ((s = 0; s < at_once; s++)); do series "$s" & PIDS[series$s]=$!; done
for ((s = 0; s < at_once; s++)); do wait_for 600 "series $s" test -e "$TMP/series.$s.end"; unset "PIDS[series$s]"; done
took=$(($(milliseconds) - began))
kill -TERM "${PIDS[killer]}"
wait_for 5 "the killer's count" test -s "$TMP/kills"
unset 'PIDS[killer]'
for ((s = 0; s < at_once; s++)); do [ ! -s "$TMP/series.$s.log" ] || fail "$(grep -c . "$TMP/series.$s.log") failures: $(head -n 3 "$TMP/series.$s.log")"; done
say "$downloads downloads in $((took / 1000)) s through $(cat "$TMP/kills") kills: all exact"
expect_between "kills" "$(cat "$TMP/kills")" $((took / 250)) $((took / 100 + 1))
