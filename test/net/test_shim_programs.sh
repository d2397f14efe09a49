#!/bin/bash
# Real programs under the preload, where the server speaks Trickles and where it speaks TCP only: blocking, polling,
# edge- and level-triggered, many at once. A fallback costs little time and nobody notices it.
. "$(dirname "$0")/lib.sh"
need curl wget python3
need_built "$TOOLS/trk-shim_peer" "$BIN/trickles" "$LIB/libtrickles.so"

topology_direct
mkdir "$TMP/www"
head -c 3000000 /dev/urandom >"$TMP/www/file"
PYTHON=/usr/bin/python3
start tcp "$SERVER" "$TOOLS/trk-shim_peer" tcp 7000
start trickles "$SERVER" "$TOOLS/trk-shim_peer" trickles 7001
start http "$SERVER" "$PYTHON" -m http.server 8080 --directory "$TMP/www"
for port in 7000 7001 8080; do wait_for_port "$SERVER" "$port"; done

preloaded() { in_ns "$CLIENT" timeout 100 "$BIN/trickles" "$@"; }
quiet() { [ ! -s "$TMP/err" ] || fail "$1 wrote to standard error: $(cat "$TMP/err")"; }

# asyncio and selectors, both ways
for port in 7001 7000; do
    expect "asyncio, port $port" "$(preloaded "$PYTHON" "$NET_DIR/shim/asyncio_get.py" "$SERVER4" "$port" 300000 20 2>"$TMP/err")" "ok 20"
    quiet asyncio
    expect "selectors, port $port" "$(preloaded "$PYTHON" "$NET_DIR/shim/selectors_get.py" "$SERVER4" "$port" 3000000 2>"$TMP/err")" ok
    quiet selectors
done
say "asyncio and selectors: both ways"

# A TCP-only HTTP server
url=http://$SERVER4:8080/file
preloaded curl -sS -o "$TMP/got" "$url" 2>"$TMP/err" || fail "curl: $?"
cmp "$TMP/www/file" "$TMP/got"; quiet curl
preloaded wget -q -O "$TMP/got" "$url" 2>"$TMP/err" || fail "wget: $?"
cmp "$TMP/www/file" "$TMP/got"; quiet wget
preloaded "$PYTHON" "$NET_DIR/http_get.py" "$url" "$TMP/got" 2>"$TMP/err" || fail "python: $?"
cmp "$TMP/www/file" "$TMP/got"; quiet python
for i in 1 2 3; do                       # several connections of one program, parallel
    preloaded curl -sS --no-progress-meter -Z "$url" -o "$TMP/a" "$url" -o "$TMP/b" "$url" -o "$TMP/c" 2>"$TMP/err" || fail "curl -Z: $?"
    cmp "$TMP/www/file" "$TMP/a"; cmp "$TMP/www/file" "$TMP/c"; quiet "curl -Z"
done
preloaded curl -sS --tcp-fastopen -o "$TMP/got" "$url" 2>"$TMP/err" || fail "curl --tcp-fastopen: $?"
cmp "$TMP/www/file" "$TMP/got"
say "fallback: curl, wget, python"

# ... is plain TCP for the program from then on: nothing is relayed.
preloaded -v curl -sS -o "$TMP/got" "$url" 2>"$TMP/err" || fail "curl: $?"
grep -q "$SERVER4:8080: the server speaks TCP only; plain TCP" "$TMP/err" || fail "the log says: $(cat "$TMP/err")"
# ... and quick: far below a SYN's repetition, on loopback too, where nobody answers.
took() { local began; began=$(milliseconds); "$@" >/dev/null 2>"$TMP/err" || fail "$* ended with $?"; echo $(($(milliseconds) - began)); }
expect_between "fallback, ms" "$(took preloaded curl -sS -o "$TMP/got" "$url")" 0 700
expect_between "fallback on loopback, ms" "$(took in_ns "$SERVER" "$BIN/trickles" curl -sS -o "$TMP/got" http://127.0.0.1:8080/file)" 0 700
# Nobody at all: as quickly as TCP.
got=0; began=$(milliseconds)
preloaded curl -sS -o "$TMP/got" "http://$SERVER4:9/" 2>"$TMP/err" || got=$?
expect "refused" "$got" 7
expect_between "refused, ms" "$(($(milliseconds) - began))" 0 700
# require: no fallback, one line, the program's own error
got=0; in_ns "$CLIENT" "$BIN/trickles" --require curl -sS -o "$TMP/got" "$url" 2>"$TMP/err" || got=$?
expect "require, TCP-only" "$got" 7
grep -q 'TRICKLES=require forbids TCP' "$TMP/err" || fail "require said: $(cat "$TMP/err")"
say "fallback: quick, and forbidden by require"

# A server that spoke TCP only a moment ago is not asked again.
preloaded -v curl -sS -H 'Connection: close' "$url" -o "$TMP/a" "$url" -o "$TMP/b" 2>"$TMP/err" || fail "curl: $?"
expect "asked" "$(grep -c 'the server speaks TCP only' "$TMP/err")" 1
expect "not asked again" "$(grep -c 'the server spoke TCP only a moment ago; plain TCP' "$TMP/err")" 1
cmp "$TMP/www/file" "$TMP/b"
# This host: without a Trickles server on it nothing is tried, and no engine starts.
in_ns "$CLIENT" timeout 20 "$BIN/trickles" "$PYTHON" - "$CLIENT4" "$CLIENT6" <<'SCRIPT' || fail "local connections"
import os, socket, sys
for address in "127.0.0.1", "::1", *sys.argv[1:]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as server, socket.socket(family) as client:
        server.bind((address, 0))
        server.listen()
        client.connect(server.getsockname())
        assert client.getsockname() == server.accept()[1]
        assert len(os.listdir("/proc/self/task")) == 1, address
SCRIPT
# ... and required it is refused soon, also where somebody else listens to all packets.
cat >"$TMP/refused.py" <<'SCRIPT'
import socket, sys, time
listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) if sys.argv[2] == "heard" else None
began = time.monotonic()
try:
    socket.create_connection((sys.argv[1], 7))
    sys.exit("connected")
except ConnectionRefusedError:
    assert time.monotonic() - began < float(sys.argv[3]), time.monotonic() - began
SCRIPT
for address in 127.0.0.1 ::1 "$CLIENT4" "$CLIENT6"; do
    in_ns "$CLIENT" timeout 20 "$BIN/trickles" --require "$PYTHON" "$TMP/refused.py" "$address" alone 0.7 2>"$TMP/err" || fail "refused by $address: $(cat "$TMP/err")"
    in_ns "$CLIENT" timeout 20 "$BIN/trickles" --require "$PYTHON" "$TMP/refused.py" "$address" heard 2.5 2>"$TMP/err" || fail "refused by $address, heard: $(cat "$TMP/err")"
done
# Ending takes no longer than without us: the kernel takes 10 to 16 ms to close a packet socket, which nobody waits for.
cat >"$TMP/quickest.py" <<'SCRIPT'
import subprocess, sys, time
def once():
    began = time.monotonic()
    subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began
print(min(once() for i in range(12)) * 1000)
SCRIPT
quickest() { "$PYTHON" "$TMP/quickest.py" ip netns exec "$CLIENT" "$BIN/trickles" "$TOOLS/trk-shim_cases" by_number "$SERVER4" "$1" "$SERVER4"; }
for attempt in 1 2 3 4 5; do           # a busy machine makes one of both wait; ours would wait each time
    trickles_ms=$(quickest 7001)
    plain_ms=$(TRICKLES=off quickest 7000)
    if awk "BEGIN { exit !($trickles_ms <= $plain_ms + 9) }"; then break; fi
done
expect_between "a short program on Trickles, ms beside $plain_ms on TCP" "$trickles_ms" 0 "$(awk "BEGIN { print $plain_ms + 9 }")"
no_packet_sockets() { [ "$(in_ns "$CLIENT" cat /proc/net/packet | wc -l)" = 1 ]; }
wait_for 5 "the packet sockets to be gone" no_packet_sockets
say "local: not tried; refused soon where required"
say "a short program: $trickles_ms ms, on TCP $plain_ms ms"

# A firewall that swallows our option: three SYNs, then TCP.
if command -v nft >/dev/null; then
    in_ns "$SERVER" nft -f - <<'RULES' || skip "nft cannot make rules here"
table inet t {
    chain c {
        type filter hook prerouting priority -300;
        tcp dport 8080 @th,160,32 0xfd045452 drop
    }
}
RULES
    took=$(took preloaded curl -sS --max-time 20 -o "$TMP/got" "$url")
    expect_between "past a firewall, ms" "$took" 2000 6000
    cmp "$TMP/www/file" "$TMP/got"
    in_ns "$SERVER" nft flush ruleset
    say "past a firewall: $took ms"
fi

# Log and capture files
in_ns "$CLIENT" env "TRICKLES_LOG=info:$TMP/shim-log" "$BIN/trickles" --pcap "$TMP/shim.pcap" "$TOOLS/trk-shim_cases" blocking "$SERVER4" 7001 "$SERVER4" >"$TMP/out" 2>"$TMP/err"
quiet "a log file"
grep -qE "^trickles\[[0-9]+\]: info: $SERVER4:7001: Trickles from port [0-9]+ over c0$" "$TMP/shim-log" || fail "the log: $(cat "$TMP/shim-log")"
expect "the log's mode" "$(stat -c %a "$TMP/shim-log")" 600
# ... also where a program writes over its environment, as those do that set their title.
in_ns "$CLIENT" env "TRICKLES_LOG=info:$TMP/shim-log-2" "TRICKLES_PCAP=$TMP/shim-2.pcap" "$BIN/trickles" "$PYTHON" - "$SERVER4" <<'SCRIPT' 2>"$TMP/err" || fail "a program with a title"
import ctypes, os, socket, sys
getenv = ctypes.CDLL(None).getenv
getenv.restype = ctypes.c_void_p
for name in os.environb:
    ctypes.memset(getenv(name), 0, len(os.environb[name]))
socket.create_connection((sys.argv[1], 7001)).close()
SCRIPT
quiet "a program with a title"
grep -q "Trickles from port" "$TMP/shim-log-2" || fail "no log of a program with a title"
[ -s "$TMP/shim-2.pcap" ] || fail "no capture of a program with a title"
if command -v tcpdump >/dev/null; then
    expect_between "packets in the capture" "$(tcpdump -r "$TMP/shim.pcap" 2>/dev/null | wc -l)" 20 10000
fi
say "log and capture: written"

# exit and exec wait for a peer that has gone, but no longer than TRICKLES_LINGER_MS.
cat >"$TMP/last_words.py" <<'SCRIPT'
import os, socket, sys, time
s = socket.create_connection((sys.argv[1], 7001))
print("connected", flush=True)
open(sys.argv[2], "w").close()
while os.path.exists(sys.argv[2]):
    time.sleep(0.02)
s.sendall(b"log never heard\n")
if sys.argv[3] == "exec":
    os.execv("/bin/true", ["true"])
SCRIPT
for way in exit exec; do
    in_ns "$CLIENT" env TRICKLES_LINGER_MS=700 TRICKLES_LOG=warn "$BIN/trickles" "$PYTHON" "$TMP/last_words.py" "$SERVER4" "$TMP/connected" "$way" >"$TMP/out" 2>"$TMP/err" &
    program=$!
    wait_for 5 "the program to connect" test -e "$TMP/connected"
    stop trickles KILL
    rm "$TMP/connected"
    before=$(milliseconds)
    wait "$program" || fail "$way: ended with $?"
    expect_between "$way without a peer, ms" "$(($(milliseconds) - before))" 500 1800
    grep -q 'bytes unsent (TRICKLES_LINGER_MS=700)' "$TMP/err" || fail "$way said: $(cat "$TMP/err")"
    start trickles "$SERVER" "$TOOLS/trk-shim_peer" trickles 7001
    wait_for_port "$SERVER" 7001
done
say "exit and exec: wait no longer than they are told"
