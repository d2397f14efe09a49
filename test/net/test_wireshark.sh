#!/bin/bash
# The Wireshark dissector understands each packet of a lossy download and an upload-free life: every form that was sent, no
# message malformed, and numbers from sequence numbers that agree with those that are told.
. "$(dirname "$0")/daemon.sh"
need tshark
LUA=$ROOT/cmake/packaging/wireshark/trickles.lua

topology_path --up delay=5 --down delay=5,loss=4
daemon_setup
make_file file 1000000
capture_full() { start full "$CLIENT" tcpdump -i c0 -n -s 0 -B 65536 --immediate-mode -w "$TMP/full.pcap" "tcp port $PORT"; }
capture_full
wait_for 5 "tcpdump to listen" grep -q 'listening on' "$TMP/full.log"
daemon_start "$SERVER"
fetch curl "$URL4/file" "$TMP/got"
sleep 1.2                                # its window would be kept for a second: the next request is a restart
fetch python "$URL6/file" "$TMP/got"
sleep 0.3
stop full INT
dissect() { tshark -X "lua_script:$LUA" -r "$TMP/full.pcap" "$@" 2>>"$TMP/tshark.log"; }

marked=$(tcpdump -nr "$TMP/full.pcap" 2>/dev/null | wc -l)
expect "packets dissected" "$(dissect -Y trickles | wc -l)" "$marked"
expect "malformed ones" "$(dissect -Y trickles.bad | wc -l)" 0
dissect -T fields -e trickles.form >"$TMP/forms"
for form in 1 2 4 8 9 10 11; do          # OPEN REQUEST CLOSE OPENED LONG NORMAL TERMINAL
    grep -qx "$form" "$TMP/forms" || fail "no message of form $form: $(sort "$TMP/forms" | uniq -c | tr '\n' ';')"
done
# The first data packet that carries offset 0 of each connection is its number 2, by its grant as by its place.
dissect -Y 'trickles.form == 9 && trickles.offset == 0 && trickles.n == trickles.a' -T fields -e trickles.n -e trickles.a | grep -qx "2	2" ||
    fail "number 2 is not where it was sent"
# A request spends no number that was not seen.
last=$(dissect -Y 'trickles.form == 10' -T fields -e trickles.n | sort -n | tail -n 1)
spent=$(dissect -Y 'trickles.form == 2' -T fields -e trickles.k | tr ',' '\n' | sort -n | tail -n 1)
[ "$spent" -le "$last" ] || fail "number $spent was spent, and the highest seen is $last"
say "$marked packets, none of them malformed"
