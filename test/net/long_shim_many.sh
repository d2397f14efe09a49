#!/bin/bash
# Many connections of one program under the preload: the hundredth costs what the thousandth does, opened and closed.
#
# Counted are the instructions of the program, the preload's among them (callgrind), for N connections; time and load do not matter.
# Then as many as the descriptors allow, up to 5,000.
. "$(dirname "$0")/lib.sh"
need_built "$TOOLS/trk-shim_many" "$BIN/tricklesd" "$LIB/libtrickles.so"
command -v valgrind >/dev/null || skip "valgrind is missing: apt-get install valgrind"
! grep -q -e __tsan_init -e __asan_init <(nm -D "$LIB/libtrickles.so") || skip "valgrind does not run what sanitizers instrument"

topology_direct
mkdir "$TMP/www"
echo text >"$TMP/www/file"
start web "$SERVER" "$BIN/tricklesd" --root "$TMP/www" --listen 0.0.0.0:80
wait_for_port "$SERVER" 80

# instructions N
instructions() {
    in_ns "$CLIENT" timeout -k 5 120 env TRICKLES=require LD_PRELOAD="$LIB/libtrickles.so" valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        "$TOOLS/trk-shim_many" "$SERVER4" 80 "$1" 2>"$TMP/callgrind.log" || fail "$1 connections under callgrind"
    awk '/Collected/ { print $4 }' "$TMP/callgrind.log"
}
few=$(instructions 100) some=$(instructions 600) many=$(instructions 1600)
first=$(((some - few) / 500)) later=$(((many - some) / 1000))
say "instructions for a connection: $first of 100 to 600, $later of 600 to 1600"
expect_between "instructions for a connection among 1,600, against one among 600" "$(awk "BEGIN { print $later / $first }")" 0.3 1.1

n=$(($(ulimit -Hn) / 2 - 100))
[ "$n" -le 5000 ] || n=5000
in_ns "$CLIENT" timeout -k 5 120 env TRICKLES=require LD_PRELOAD="$LIB/libtrickles.so" "$TOOLS/trk-shim_many" "$SERVER4" 80 "$n" 2>"$TMP/many.log" ||
    fail "$n connections"
say "$n connections opened and closed"
