#!/bin/bash
# The benchmark's command runs, no transfer fails or has wrong bytes, and the files it writes are well-formed.
# How fast anything was is not judged: that depends on the machine.
. "$(dirname "$0")/../net/lib.sh"
need python3 gnuplot nginx
out=$TMP/out

start bench - bash "$ROOT/test/bench/run.sh" quick --out "$out" bulk clients small requests workers grid background fairness
while alive bench; do sleep 1; done
status=0
wait "${PIDS[bench]}" || status=$?
unset "PIDS[bench]"
if [ "$status" -eq 77 ]; then skip "$(sed -n 's/^SKIP [^:]*: //p' "$TMP/bench.log")"; fi
expect "exit status of run.sh" "$status" 0

if bash "$ROOT/test/bench/run.sh" quick --rounds 1 --out "$out" small >"$TMP/again.log" 2>&1 || ! grep -q -- '--replace' "$TMP/again.log"; then
    fail "fewer rounds took the place of more"
fi

python3 - "$out" <<'CHECK' || fail "the files are not well-formed"
import csv, math, os, sys
import xml.etree.ElementTree as xml
out = sys.argv[1]
COLUMNS = "figure case metric unit trickles peer_name peer ratio ratio_min ratio_max runs".split()

def wrong(why):
    sys.exit("wrong: " + why)

with open(os.path.join(out, "results.csv"), newline="") as lines:
    table = csv.DictReader(lines)
    if table.fieldnames != COLUMNS:
        wrong(f"columns {table.fieldnames}")
    rows = list(table)
for row in rows:
    trickles, peer, ratio, low, high = (float(row[c]) for c in ("trickles", "peer", "ratio", "ratio_min", "ratio_max"))
    if not all(math.isfinite(v) and v > 0 for v in (trickles, peer, ratio, low, high)):
        wrong(f"not a positive number: {row}")
    if not low <= ratio * 1.001 or not ratio <= high * 1.001 or abs(ratio / (trickles / peer) - 1) > .01:
        wrong(f"the ratio does not fit: {row}")
    if row["peer_name"] not in ("reno", "cubic", "reno without TSO/GRO", "QUIC (ngtcp2)", "one worker") or int(row["runs"]) != 2:
        wrong(f"peer or runs: {row}")
FIGURES = ("bulk", "clients", "small", "requests", "workers", "grid", "background", "fairness")
count = {f: sum(r["figure"] == f and r["metric"] in ("goodput", "answers") and "QUIC" not in r["peer_name"] for r in rows) for f in FIGURES}
if count != {"bulk": 6, "clients": 4, "small": 4, "requests": 4, "workers": 2, "grid": 26, "background": 6, "fairness": 4}:
    wrong(f"cells {count}")
if sum(r["metric"] == "server CPU" for r in rows if r["figure"] == "bulk") < 6 or not any(r["metric"] == "server memory" for r in rows):
    wrong("CPU or memory is missing")
with open(os.path.join(out, "results.md")) as file:
    table = [line for line in file if line.startswith("|")]
if len(table) != len(rows) + 2 or any(line.count("|") != len(COLUMNS) + 1 for line in table):
    wrong("results.md and results.csv differ in shape")
for name in ("bulk", "clients", "small", "requests", "grid-reno", "background", "fairness"):
    if xml.parse(os.path.join(out, name + ".svg")).getroot().tag != "{http://www.w3.org/2000/svg}svg":
        wrong(name + ".svg is no SVG")
with open(os.path.join(out, "report.html")) as file:
    page = file.read()
if page.count("<svg") != 7 or page.count("<tr>") != len(rows) + 8 or not page.endswith("</html>\n"):
    wrong("report.html lacks a plot or a row")
if "src=" in page or 'rel="stylesheet"' in page:
    wrong("report.html needs other files")
CHECK
say "$(wc -l <"$out/results.csv") lines, $(cat "$out"/records/*.csv | wc -l) transfers"
