#!/bin/bash
# A device that goes away and comes back under another number, with the same address: the connection goes on.
. "$(dirname "$0")/lib.sh"
need python3
need_built "$TOOLS/trk-shim_peer" "$BIN/trickles" "$LIB/libtrickles.so"

topology_direct
start trickles "$SERVER" "$TOOLS/trk-shim_peer" trickles 7001
wait_for_port "$SERVER" 7001
cat >"$TMP/client.py" <<'SCRIPT'
import os, socket, sys, time
s = socket.create_connection((sys.argv[1], 7001))
s.settimeout(40)
def get(n):
    s.sendall(b"get %d\n" % n)
    got = 0
    while got < n:
        data = s.recv(65536)
        assert data, "ended"
        got += len(data)
get(100000)
open(sys.argv[2], "w").close()
while os.path.exists(sys.argv[2]):
    time.sleep(0.02)
get(100000)
SCRIPT
start client "$CLIENT" env TRICKLES=require "$BIN/trickles" /usr/bin/python3 "$TMP/client.py" "$SERVER4" "$TMP/half"
wait_for 10 "the first half" test -e "$TMP/half"
before=$(ip -n "$CLIENT" -o link show c0 | cut -d: -f1)
ip -n "$CLIENT" link del c0
ip -n "$CLIENT" link add dummy-a type veth peer name dummy-b      # takes the number that c0 had next
make_veth "$CLIENT" c0 "$SERVER" s0
address "$CLIENT" c0 "$CLIENT4/24" "$CLIENT6/64"
address "$SERVER" s0 "$SERVER4/24" "$SERVER6/64"
after=$(ip -n "$CLIENT" -o link show c0 | cut -d: -f1)
[ "$before" != "$after" ] || fail "the device has the same number again"
rm "$TMP/half"
pid=${PIDS[client]}
wait "$pid" || fail "the client ended with $?"
unset "PIDS[client]"
say "went on over device $after instead of $before"
