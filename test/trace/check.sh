#!/bin/bash
# check.sh TOOLS: simulated runs become traces and pictures that are well formed; a capture of the same run tells the same.
set -Eeuo pipefail
tools=$1 here=$(cd "$(dirname "$0")" && pwd)
command -v python3 >/dev/null || { echo "SKIP trace: python3 is not installed"; exit 77; }
tmp=$(mktemp -d "${TMPDIR:-/tmp}/trk-trace-XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# check NAME BYTES SIM_TRACE_ARGUMENTS...: BYTES "-": of a random world, where nobody knows
check() {
    local name=$1 bytes=$2; shift 2
    "$tools/sim_trace" --pcap "$tmp/$name.pcap" "$@" >"$tmp/$name.jsonl"
    "$tools/trk-pcap2trace" "$tmp/$name.pcap" 80 >"$tmp/$name.captured.jsonl" 2>"$tmp/log"
    "$tools/trk-trace-svg" --title "$name <&>" "$tmp/$name.jsonl" >"$tmp/$name.svg"
    "$tools/trk-trace-svg" "$tmp/$name.captured.jsonl" >"$tmp/$name.captured.svg"
    if [ "$bytes" = - ]; then set --; else set -- --bytes "$bytes"; fi
    python3 "$here/check.py" "$tmp/$name.jsonl" "$tmp/$name.svg" --same "$tmp/$name.captured.jsonl" "$@"
    python3 "$here/check.py" "$tmp/$name.captured.jsonl" "$tmp/$name.captured.svg" "$@"
}
check clean 500000 download 500000 10 0 1
check lossy 1000000 download 1000000 10 0.02 2
check hopeless 100000 download 100000 25 0.3 3
for seed in 1 2 3 4 5; do
    check "plain-$seed" - plain "$seed"
    check "harsh-$seed" - harsh "$seed"
done

# Several flows: all of them in one picture, and each in its own.
"$tools/sim_trace" flows 2 2 5 1 >"$tmp/flows.jsonl"
"$tools/trk-trace-svg" --shares "$tmp/flows.jsonl" >"$tmp/shares.svg"
"$tools/trk-trace-svg" --flow 1 "$tmp/flows.jsonl" >"$tmp/flow-1.svg"
python3 "$here/check.py" "$tmp/flows.jsonl" "$tmp/flow-1.svg"
for words in '4 flows, ' "Jain's index" 'rate of each flow, MB/s'; do
    grep -q "$words" "$tmp/shares.svg" || { echo "FAIL: no \"$words\" in the picture of shares"; exit 1; }
done
if "$tools/trk-trace-svg" --shares "$tmp/clean.jsonl" >"$tmp/bad.svg" 2>"$tmp/log"; then echo "FAIL: shares without flows were drawn"; exit 1; fi

# What is no trace is refused in one sentence.
echo '{"t":1}' >"$tmp/bad.jsonl"
for bad in "$tmp/bad.jsonl" "$tmp/missing.jsonl" /dev/null; do
    if "$tools/trk-trace-svg" "$bad" >"$tmp/bad.svg" 2>"$tmp/log"; then echo "FAIL: $bad was drawn"; exit 1; fi
    [ "$(wc -l <"$tmp/log")" = 1 ] || { echo "FAIL: not one sentence about $bad"; cat "$tmp/log"; exit 1; }
done
if "$tools/trk-pcap2trace" "$tmp/bad.jsonl" 80 >/dev/null 2>"$tmp/log"; then echo "FAIL: a text was read as a capture"; exit 1; fi
if "$tools/trk-pcap2trace" "$tmp/clean.pcap" 81 >/dev/null 2>"$tmp/log"; then echo "FAIL: a port that nobody spoke on"; exit 1; fi
echo "ok: what is no trace is refused"
