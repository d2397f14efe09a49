#!/bin/bash
# Trickles beside kernel TCP on the same emulated paths, in one run: table, plots, report.
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
figures=(bulk clients small requests workers grid background fairness)

usage() {
    cat <<'HELP'
Usage: test/bench/run.sh [quick|full] [--rounds N] [--out DIR] [--report] [FIGURE...]

Measures curl through the preload, and a client on the engine, and tricklesd beside the same over kernel TCP and nginx,
and beside a QUIC server (Debian's ngtcp2), in turn, in network namespaces of its own, and writes results.csv, results.md and report.html (with the plots) into DIR.
  quick      two rounds, smaller, of bulk, clients, small, requests and workers: under five minutes (default)
  full       six rounds of everything, so that 95 % confidence intervals mean something: about three hours
  FIGURE     only these: bulk, clients, small, requests, workers, grid, background, fairness; the others keep the records of earlier runs in DIR
  --rounds N instead of two or six
  --replace  overwrite records of more rounds than this run makes; without it the run refuses to
  --out DIR  default build/bench
  --report   measure nothing, only make the files anew from the records in DIR
Root; builds first, unless TRICKLES_BUILD names a build. Exits with 1 if a transfer failed or had wrong bytes.
HELP
}
wrong() { printf 'run.sh: %s\n' "$*" >&2; exit 2; }

MODE=quick ROUNDS="" out="" measure=yes replace=no chosen=()
while [ $# -gt 0 ]; do
    case $1 in
        quick|full) MODE=$1 ;;
        --out) out=${2:-}; [ -n "$out" ] || wrong "--out wants a directory"; shift ;;
        --rounds) ROUNDS=${2:-}; [[ $ROUNDS =~ ^[1-9][0-9]?$ ]] || wrong "--rounds wants a number from 1 to 99"; shift ;;
        --report) measure=no ;;
        --replace) replace=yes ;;
        --help|-h) usage; exit 0 ;;
        bulk|clients|small|requests|workers|grid|background|fairness) chosen+=("$1") ;;
        *) wrong "unknown word '$1' (see --help)" ;;
    esac
    shift
done
if [ ${#chosen[@]} -eq 0 ] && [ "$MODE" = quick ] && [ "$measure" = yes ]; then chosen=(bulk clients small requests workers); fi
if [ ${#chosen[@]} -eq 0 ]; then chosen=("${figures[@]}"); fi

root=$bench/../..
if [ -z "${TRICKLES_BUILD:-}" ] && [ "$measure" = yes ]; then
    "$root/cmake/bootstrap.sh" build run test || exit 1
    echo "building"
    { cmake -S "$root" -B "$root/build" -DBUILD_TESTING=ON && cmake --build "$root/build" -j"$(nproc)"; } >/dev/null ||
        wrong "the build failed; see: cmake --build build"
fi

. "$bench/../net/daemon.sh"
. "$NET_DIR/beside_tcp.sh"
. "$bench/stacks.sh"
. "$bench/direct.sh"
for figure in "${figures[@]}"; do . "$bench/figures/$figure.sh"; done

out=${out:-$BUILD/bench}
mkdir -p "$out/records" || wrong "cannot make $out"
need python3 gnuplot

if [ "$measure" = yes ]; then
    if [ "$MODE" = full ]; then ROUNDS=${ROUNDS:-6}; else ROUNDS=${ROUNDS:-2}; fi
    for figure in "${chosen[@]}"; do
        if [ ! -e "$out/records/$figure.csv" ] || [ "$replace" = yes ]; then continue; fi
        had=$(awk -F, '$7 > most { most = $7 } END { print most + 0 }' "$out/records/$figure.csv")
        if [ "$had" -gt "$ROUNDS" ]; then
            wrong "$out has $had rounds of $figure, better than $ROUNDS: --replace them, or take another --out DIR"
        fi
    done
    bench_start 200000000
    direct_start
    for figure in "${chosen[@]}"; do
        RECORD=$out/records/$figure.csv
        : >"$RECORD"
        "figure_$figure"
    done
fi
status=0
python3 "$bench/report.py" "$out" || status=$?
say "$out/report.html"
exit "$status"
