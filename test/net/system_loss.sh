#!/bin/bash
# Lossy paths: 1 KB to 10 MB at 20 ms delay each way, beside kernel TCP on the same path.
# No wrong byte, no hang, and on the paths that lose nothing or 1 % of the answers at least 0.7 of TCP's rate.
#
#     system_loss.sh even|answers|requests|both|disorder|long
. "$(dirname "$0")/daemon.sh"
. "$NET_DIR/beside_tcp.sh"

path="delay=20,rate=20mbit,queue=100"
hang_s=120                                       # a download that takes longer counts as hanging
floor=0.7

topology_path --both "$path"
daemon_setup
beside_tcp_setup
sizes=(1000 10000 100000 1000000 10000000)
for size in "${sizes[@]}"; do make_file "$size" "$size"; done
beside_tcp_start

# measure REPEATS LARGEST FLOOR UP DOWN: a row for each size up to LARGEST; FLOOR 0: none.
# Small files are one or two round trips: their ratio is what chance did to a single packet, so it has no floor.
measure() {
    local size wanted
    path_start --up "$path,$4" --down "$path,$5"
    for size in "${sizes[@]}"; do
        if [ "$size" -gt "$2" ]; then break; fi
        wanted=0
        if [ "$size" -ge 1000000 ]; then wanted=$3; fi
        side_by_side "$1" "$size" "$hang_s" "up $4, down $5" "$wanted"
        expect_between "ratio at $size bytes, up $4, down $5" "$RATIO" "$wanted" 1000
    done
}

case ${1:-even} in
    even)     measure 1 10000000 "$floor" loss=0 loss=0 ;;
    answers)  measure 2 10000000 "$floor" loss=0 loss=1
              measure 1 1000000 0 loss=0 loss=5 ;;
    requests) measure 1 10000000 "$floor" loss=1 loss=0
              measure 1 1000000 0 loss=5 loss=0 ;;
    both)     measure 1 10000000 "$floor" loss=1 loss=1
              measure 1 1000000 0 loss=5 loss=5 ;;
    disorder) measure 1 10000000 0 reorder=1,duplicate=1 reorder=1,duplicate=1
              measure 1 10000000 0 corrupt=0.1 corrupt=0.1 ;;
    long)
        hang_s=900
        for up in 0 1 5 10; do
            for down in 0 1 5 10; do
                wanted=0
                if [ "$up" -eq 0 ] && [ "$down" -le 1 ]; then wanted=$floor; fi
                measure 3 10000000 "$wanted" "loss=$up" "loss=$down"
            done
        done
        measure 3 10000000 0 reorder=1,duplicate=1 reorder=1,duplicate=1
        measure 3 10000000 0 corrupt=0.1 corrupt=0.1 ;;
    *) fail "unknown kind of path: $1" ;;
esac
