#!/bin/bash
# The launcher: what it finds, what it refuses in one line, and how it hands on its rights.
. "$(dirname "$0")/lib.sh"
need_net
need setpriv python3
PYTHON=/usr/bin/python3
need_built "$BIN/trickles" "$LIB/libtrickles.so"
chmod 755 "$TMP"

# refused STATUS PATTERN COMMAND...: exits with STATUS and one line that matches.
refused() {
    local status=$1 pattern=$2 got=0; shift 2
    "$@" >"$TMP/out" 2>"$TMP/err" || got=$?
    expect "status of: ${*: -2}" "$got" "$status"
    expect "lines of: ${*: -2}" "$(wc -l <"$TMP/err")" 1
    grep -qE "$pattern" "$TMP/err" || fail "${*: -2}: said '$(cat "$TMP/err")', not '$pattern'"
}
refused 2 'which program' "$BIN/trickles"
refused 127 'no-such-program: not found' "$BIN/trickles" no-such-program
refused 127 'not found' "$BIN/trickles" "$TMP/nothing"
echo text >"$TMP/text"
refused 126 'not an executable' "$BIN/trickles" "$TMP/text"
cp /bin/true "$TMP/suid"; chown 65534 "$TMP/suid"; chmod 4755 "$TMP/suid"
refused 126 'set-uid' "$BIN/trickles" "$TMP/suid"
if ! grep -q INTERP <(readelf -lW /sbin/ldconfig 2>/dev/null); then
    refused 126 'statically linked' "$BIN/trickles" /sbin/ldconfig
    printf '#!/sbin/ldconfig\n' >"$TMP/script"; chmod 755 "$TMP/script"
    refused 126 'statically linked' "$BIN/trickles" "$TMP/script"
fi
# A Go program is told by its note; here true with such a note in the place of another one's name and type.
"$PYTHON" - /bin/true "$TMP/go" <<'SCRIPT'
import struct, sys
program = bytearray(open(sys.argv[1], "rb").read())
table, size, count = struct.unpack_from("<Q", program, 32)[0], *struct.unpack_from("<HH", program, 54)
notes = [struct.unpack_from("<Q", program, table + i * size + 8)[0] for i in range(count)
         if struct.unpack_from("<I", program, table + i * size)[0] == 4]
struct.pack_into("<I", program, notes[-1] + 8, 4)
program[notes[-1] + 12:notes[-1] + 16] = b"Go\0\0"
open(sys.argv[2], "wb").write(program)
SCRIPT
chmod 755 "$TMP/go"
refused 126 'Go program' "$BIN/trickles" "$TMP/go"
got=0; "$BIN/trickles" --nonsense true >"$TMP/out" 2>&1 || got=$?
expect "an unknown option" "$got" 2

# The program's own options and status are its own.
expect "--help" "$("$BIN/trickles" --help | head -n 1)" "usage: trickles [OPTION]... [--] PROGRAM [ARGUMENT]..."
"$BIN/trickles" --version | grep -qE '^trickles [0-9]+\.[0-9]+' || fail "--version"
got=0; "$BIN/trickles" -- sh -c 'exit 7' || got=$?
expect "the program's status" "$got" 7
expect "the program's options" "$("$BIN/trickles" echo -v --help)" "-v --help"
expect "an earlier preload" "$(LD_PRELOAD=libc.so.6 "$BIN/trickles" printenv LD_PRELOAD)" "libc.so.6:$(realpath "$LIB/libtrickles.so")"
expect "the mode" "$("$BIN/trickles" --require -v printenv TRICKLES TRICKLES_LOG | tr '\n' ' ')" "require info "
printf '#!/bin/sh\necho script\n' >"$TMP/shell"; chmod 755 "$TMP/shell"
expect "a script" "$("$BIN/trickles" "$TMP/shell")" script

# Rights. Somebody else's copy, outside root's directories, with a file capability.
mkdir -p "$TMP/install/bin" "$TMP/install/lib"; chmod 755 "$TMP/install"
cp "$BIN/trickles" "$TMP/install/bin/"; cp "$LIB/libtrickles.so" "$TMP/install/lib/"
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
refused 126 'no right to open packet sockets' "${nobody[@]}" "$TMP/install/bin/trickles" true
refused 126 'no right to open packet sockets' setpriv --bounding-set=-net_raw --inh-caps=-net_raw "$BIN/trickles" true
if command -v setcap >/dev/null && setcap cap_net_raw,cap_net_admin+ep "$TMP/install/bin/trickles" 2>"$TMP/err"; then
    caps=$("${nobody[@]}" "$TMP/install/bin/trickles" grep CapAmb /proc/self/status | awk '{ print $2 }')
    expect "ambient capabilities" "$((16#$caps & 0x3000))" "$((0x3000))"
    # AT_SECURE is 0, or the loader would have ignored the preload.
    expect "the preload" "$("${nobody[@]}" "$TMP/install/bin/trickles" grep -c -m 1 libtrickles /proc/self/maps)" 1
    cp /bin/true "$TMP/capable"; setcap cap_net_raw+ep "$TMP/capable"
    refused 126 'file capabilities' "${nobody[@]}" "$TMP/install/bin/trickles" "$TMP/capable"
    # And it is enough: an ordinary user speaks Trickles, with both rights and with the first alone.
    need_built "$TOOLS/trk-shim_peer" "$TOOLS/trk-shim_cases"
    cp "$TOOLS/trk-shim_cases" "$TMP/install/bin/"
    topology_direct
    start trickles "$SERVER" "$TOOLS/trk-shim_peer" trickles 7001
    wait_for_port "$SERVER" 7001
    for caps in cap_net_raw,cap_net_admin+ep cap_net_raw+ep; do
        setcap "$caps" "$TMP/install/bin/trickles"
        in_ns "$CLIENT" "${nobody[@]}" "$TMP/install/bin/trickles" --require "$TMP/install/bin/trk-shim_cases" polled "$SERVER4" 7001 "$SERVER4" \
            >"$TMP/out" 2>"$TMP/err" || fail "$caps, as an ordinary user: $(cat "$TMP/err")"
        grep -q '^pattern ok: 100000$' "$TMP/out" || fail "$caps, as an ordinary user: $(cat "$TMP/out" "$TMP/err")"
    done
    say "rights: handed on, and enough"
else
    say "not tested: file capabilities (setcap is missing or not allowed here)"
fi

# Without rights the bare preload falls back, or says why it must not.
in_ns "$SERVER" true 2>/dev/null || make_ns "$SERVER"
start tcp "$SERVER" "$TOOLS/trk-shim_peer" tcp 7000
wait_for_port "$SERVER" 7000
in_server() { in_ns "$SERVER" setpriv --bounding-set=-net_raw --inh-caps=-net_raw env "LD_PRELOAD=$LIB/libtrickles.so" "$@"; }
in_server "$TOOLS/trk-shim_cases" blocking 127.0.0.1 7000 127.0.0.1 >"$TMP/out" 2>"$TMP/err" || fail "without rights: no fallback"
expect "what it says" "$(cat "$TMP/err")" ""
in_server TRICKLES=require "$TOOLS/trk-shim_cases" polled 127.0.0.1 7000 127.0.0.1 >"$TMP/out" 2>"$TMP/err" || true
grep -q 'connect: -1 EPERM' "$TMP/out" || fail "require without rights: $(cat "$TMP/out")"
grep -q 'CAP_NET_RAW' "$TMP/err" || fail "require without rights: said '$(cat "$TMP/err")'"
say "passed"
