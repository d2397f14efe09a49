#!/bin/bash
# A real run as a trace and a picture: trickles-get records its packets, the list of events tells the whole file and the
# losses, and the picture is well formed.
. "$(dirname "$0")/lib.sh"
topology_path --both "delay=10,rate=20,queue=60,loss=1"
need_built "$BIN/tricklesd" "$BIN/trickles-get" "$TOOLS/trk-pcap2trace" "$TOOLS/trk-trace-svg"
need python3 cmp

mkdir "$TMP/www"
head -c 2000000 /dev/urandom >"$TMP/www/file"
"$BIN/tricklesd" --generate-key "$TMP/key" >/dev/null
start web "$SERVER" "$BIN/tricklesd" --root "$TMP/www" --listen '*:80' --key-file "$TMP/key"
wait_for_port "$SERVER" 80

for address in "$SERVER4" "[$SERVER6]"; do
    in_ns "$CLIENT" timeout 60 "$BIN/trickles-get" --pcap "$TMP/flow.pcap" -o "$TMP/got" "http://$address/file" 2>"$TMP/get.log" || fail "the download failed"
    cmp "$TMP/got" "$TMP/www/file" || fail "the file differs"
    "$TOOLS/trk-pcap2trace" "$TMP/flow.pcap" 80 >"$TMP/flow.jsonl" 2>"$TMP/trace.log" || fail "no trace"
    "$TOOLS/trk-trace-svg" --title "2 MB from $address" "$TMP/flow.jsonl" >"$TMP/flow.svg" || fail "no picture"
    python3 "$ROOT/test/trace/check.py" "$TMP/flow.jsonl" "$TMP/flow.svg" >"$TMP/check.log" 2>&1 || fail "trace or picture is not well formed"
    # The answer's head comes before the file.
    bytes=$(python3 -c "
import json, sys
print(max(e['offset'] + e['bytes'] for e in map(json.loads, open(sys.argv[1])) if e['event'] == 'receive'))" "$TMP/flow.jsonl")
    expect_between "the last byte told" "$bytes" 2000100 2001000
    lost=$(grep -c '"event":"lost"' "$TMP/flow.jsonl") || fail "no loss is told, though 1 % were lost"
    say "ok: $address: $(wc -l <"$TMP/flow.jsonl") events, $lost losses, last byte $bytes"
done
if [ -n "${TRICKLES_KEEP_TRACE:-}" ]; then cp "$TMP/flow.jsonl" "$TMP/flow.svg" "$TMP/flow.pcap" "$TRICKLES_KEEP_TRACE"; fi
