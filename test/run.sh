#!/bin/bash
# The second command of the README: build everything and run the tests.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)
passed=0 failed=0 skipped=0
failures=() skips=()
tmp=$(mktemp -d "${TMPDIR:-/tmp}/trickles-test-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

usage() {
    cat <<'HELP'
Usage: test/run.sh [--long] [--gcc] [--sanitize] [--only LABEL] [--help]

Installs missing packages, builds, runs the tests and closes with "N passed, N failed, N skipped".
Without a choice it does both of
  --sanitize    build with clang, AddressSanitizer and UBSan, warnings are errors; run unit and a shorter sim
  --gcc         build with gcc, warnings are errors; run the tests labelled unit, sim and net
and with
  --long        the gcc run takes the label long, too (about an hour)
  --only LABEL  the gcc run takes this label only: unit, sim, net or long
Run as root: network tests need namespaces and packet sockets; without the right they are skipped by name.
HELP
}
say()   { printf '\n== %s\n' "$*"; }
wrong() { printf 'run.sh: %s\n' "$*" >&2; exit 2; }

# built NAME DIR CMAKE-OPTION...: configure and build; counts as one test.
built() {
    local name=$1 dir=$2; shift 2
    say "$name: building in ${dir#"$root"/}"
    if { cmake -S "$root" -B "$dir" -DTRICKLES_WERROR=ON -DBUILD_TESTING=ON "$@" && cmake --build "$dir" -j"$jobs"; } \
            >"$tmp/build.log" 2>&1; then
        passed=$((passed + 1))
        return 0
    fi
    grep -E -A8 'error|Error' "$tmp/build.log" | head -n 60 || tail -n 40 "$tmp/build.log"
    failed=$((failed + 1))
    failures+=("$name: build")
    return 1
}

# tested NAME DIR MORE LABELS: ctest, MORE tests than cores at once, and its results added to ours. LABELS: a regular expression.
tested() {
    local name=$1 dir=$2 labels=$4 status=0
    say "$name: tests labelled $labels"
    rm -f "$tmp/junit.xml"
    # Most network tests wait for timers, so more of them than cores run at once, the longest first; what measures runs alone.
    ctest --test-dir "$dir" -L "^($labels)\$" -j$((jobs + $3)) --no-tests=error --output-on-failure \
        --output-junit "$tmp/junit.xml" </dev/null || status=$?
    if [ ! -s "$tmp/junit.xml" ]; then
        failed=$((failed + 1))
        failures+=("$name: ctest ended with $status and ran nothing")
        return 0
    fi
    count_results "$name"
    # ctest knows reasons to fail that no single test shows.
    if [ "$status" -ne 0 ] && [ "$failed_here" -eq 0 ]; then
        failed=$((failed + 1))
        failures+=("$name: ctest ended with $status")
    fi
}

# One line per test case: status, name, and for a skipped one the reason that it printed.
results() {
    awk '
        /<testcase / { match($0, /name="[^"]*"/); name = substr($0, RSTART + 6, RLENGTH - 7)
                                      match($0, /status="[^"]*"/); status = substr($0, RSTART + 8, RLENGTH - 9); reason = ""; skip = 0 }
        /<skipped/   { skip = 1 }
        /SKIP /      { reason = $0; sub(/.*SKIP /, "", reason); sub(/<.*/, "", reason) }
        /<\/testcase>/ { print (skip ? "skip" : status == "run" ? "pass" : "fail"), name, reason }' "$tmp/junit.xml"
}
count_results() {
    local state name reason
    failed_here=0
    while read -r state name reason; do
        case $state in
            pass) passed=$((passed + 1)) ;;
            skip) skipped=$((skipped + 1)); skips+=("$1: $name: ${reason:-no reason given}") ;;
            *)    failed=$((failed + 1)); failed_here=$((failed_here + 1)); failures+=("$1: $name") ;;
        esac
    done < <(results)
}

run_gcc() {
    export TRICKLES_BUILD=$root/build
    if CC=gcc built gcc "$root/build"; then tested gcc "$root/build" 2 "$labels"; fi
}
run_sanitize() {
    export TRICKLES_BUILD=$root/build-sanitize
    # Halt on the first finding; a short virtual world, as every step costs several times as much.
    export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 TRICKLES_SIM_SEEDS=300
    if CC=clang built sanitize "$root/build-sanitize" -DTRICKLES_SANITIZE=address,undefined; then
        tested sanitize "$root/build-sanitize" 0 'unit|sim'
    fi
    unset ASAN_OPTIONS UBSAN_OPTIONS TRICKLES_SIM_SEEDS
}

main() {
    local stages=() long=no line
    labels='unit|sim|net'
    while [ $# -gt 0 ]; do
        case $1 in
            --long) long=yes ;;
            --gcc|--sanitize) stages+=("${1#--}") ;;
            --only)
                case ${2:-} in
                    unit|sim|net|long) labels=$2 stages=(gcc); shift ;;
                    *) wrong '--only wants a label: unit, sim, net or long' ;;
                esac ;;
            --help|-h) usage; exit 0 ;;
            *) wrong "unknown option '$1' (see --help)" ;;
        esac
        shift
    done
    if [ "$long" = yes ]; then labels="$labels|long"; fi
    if [ ${#stages[@]} -eq 0 ]; then stages=(sanitize gcc); fi

    "$root/cmake/bootstrap.sh" build run test
    local began=$SECONDS stage
    for stage in "${stages[@]}"; do "run_$stage"; done

    say "done in $((SECONDS - began)) s"
    for line in "${skips[@]}"; do printf 'skipped  %s\n' "$line"; done
    for line in "${failures[@]}"; do printf 'failed   %s\n' "$line"; done
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" -eq 0 ]
}
main "$@"
