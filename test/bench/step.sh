#!/bin/bash
# What a server's and a client's step costs, by themselves: times, instructions, and the functions that they go to.
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
    cat <<'HELP'
Usage: test/bench/step.sh [server|client] [--profile I] [--lines N]

Prints the times of server_step and client_step, then instructions per step as valgrind counts them, and for the shapes
I (default: all) the share of the functions that most of them go to. Builds first, unless TRICKLES_BUILD names a build.
Needs valgrind for all but the times. Exits with 1 if a bound on the times is not kept.
HELP
}
wrong() { printf 'step.sh: %s\n' "$*" >&2; exit 2; }

programs=() shape="" lines=12
while [ $# -gt 0 ]; do
    case $1 in
        server|client) programs+=("${1}_step") ;;
        --profile) shape=${2:-}; [[ $shape =~ ^[0-9]+$ ]] || wrong "--profile wants the number of a shape, from 0"; shift ;;
        --lines) lines=${2:-}; [[ $lines =~ ^[1-9][0-9]*$ ]] || wrong "--lines wants a number"; shift ;;
        --help|-h) usage; exit 0 ;;
        *) wrong "unknown word '$1' (see --help)" ;;
    esac
    shift
done
[ ${#programs[@]} -gt 0 ] || programs=(server_step client_step)

build=${TRICKLES_BUILD:-$bench/../../build}
if [ -z "${TRICKLES_BUILD:-}" ]; then
    { cmake -S "$bench/../.." -B "$build" -DBUILD_TESTING=ON && cmake --build "$build" --target server_step client_step -j"$(nproc)"; } >/dev/null ||
        wrong "the build failed; see: cmake --build build"
fi

scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
status=0

# One shape under callgrind: what lies below the function named like the program is counted.
profile() { # program, shape
    local steps total
    timeout 120 valgrind --tool=callgrind --toggle-collect="$1" --callgrind-out-file="$scratch/out" \
        "$build/test/$1" --count --rounds 8 --shape "$2" >"$scratch/said" 2>"$scratch/err" || wrong "valgrind failed: $(tail -1 "$scratch/err")"
    steps=$(awk '/ steps/ { print $1; exit }' "$scratch/said")
    callgrind_annotate --auto=no --threshold=100 "$scratch/out" | tr -d , >"$scratch/table"
    total=$(awk '/PROGRAM TOTALS/ { print $1 }' "$scratch/table")
    printf '\n%s, %s: %d instructions a step\n' "$1" "$(sed -n "$(($2 + 1))p" "$scratch/shapes")" $((total / steps))
    awk -v total="$total" -v steps="$steps" -v lines="$lines" '
        /:/ && $1 ~ /^[0-9]+$/ && !/PROGRAM/ {
            name = $0; sub(/^.*:/, "", name); sub(/ \[.*/, "", name)
            if (name ~ /^0x/) name = "(inside of libsodium)"
            self[name] += $1
        }
        END {
            for (name in self) printf "%d %s\n", self[name], name | "sort -rn | head -" lines " | awk -v t=" total " -v s=" steps " '\''{ n = $1; $1 = \"\"; printf \"  %5.1f %%  %6d %s\\n\", 100 * n / t, n / s, $0 }'\''"
        }' "$scratch/table"
}

for program in "${programs[@]}"; do
    "$build/test/$program" || status=1
    if ! command -v valgrind >/dev/null; then
        echo "(no valgrind: no instructions, no profile)"
        continue
    fi
    "$build/test/$program" --list >"$scratch/shapes"
    for i in $(seq 0 $(($(wc -l <"$scratch/shapes") - 1))); do
        if [ -z "$shape" ] || [ "$shape" = "$i" ]; then profile "$program" "$i"; fi
    done
    echo
done
exit $status
