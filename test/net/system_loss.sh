#!/bin/bash
# Lossy paths: 1 KB to 10 MB at 20 ms delay each way, beside kernel TCP (nginx, Reno) on the same path.
# No wrong byte, no hang, and on the paths that lose nothing or 1 % of the answers at least 0.7 of TCP's rate.
#
#     system_loss.sh short|long
. "$(dirname "$0")/daemon.sh"
. "$NET_DIR/kernel_tcp.sh"

limit_s=120                                      # for one download; longer is a hang
path="delay=20,rate=20mbit,queue=100"
floor=0.7

topology_path --both "$path"
daemon_setup
kernel_tcp_setup
for size in 1000 10000 100000 1000000 10000000; do make_file "$size" "$size"; done
daemon_start "$SERVER"
kernel_tcp_start

# timed STACK SIZE: milliseconds of one download; it must end in time and be the file.
timed() {
    local began status=0
    began=$(milliseconds)
    case $1 in
        trickles) trickles curl -sS --fail --max-time "$limit_s" -o "$TMP/got" "$URL4/$2" || status=$? ;;
        tcp)      kernel_tcp_get "$2" "$TMP/got" "$limit_s" || status=$? ;;
    esac
    took=$(($(milliseconds) - began + 1))
    [ "$status" -eq 0 ] || fail "$1 $2 bytes over $conditions: curl ended with $status after $took ms"
    cmp "$WWW/$2" "$TMP/got" || fail "$1 $2 bytes over $conditions: wrong bytes"
}
# measure REPEATS MAX-SIZE FLOOR UP DOWN: a row for each size, both stacks in turn; FLOOR 0: none.
measure() {
    local repeats=$1 largest=$2 wanted=$3 size i ours theirs ratio
    conditions="up $4, down $5"
    path_start --up "$path,$4" --down "$path,$5"
    for size in 1000 10000 100000 1000000 10000000; do
        if [ "$size" -gt "$largest" ]; then continue; fi
        ours=0 theirs=0
        for ((i = 0; i < repeats; i++)); do
            timed trickles "$size"; ours=$((ours + took))
            timed tcp "$size"; theirs=$((theirs + took))
        done
        ratio=$(awk -v o="$ours" -v t="$theirs" 'BEGIN { printf "%.2f", t / o }')
        printf '%-44s %9d bytes  trickles %7d ms  tcp %7d ms  ratio %s\n' "$conditions" "$size" $((ours / repeats)) $((theirs / repeats)) "$ratio"
        # Small files are one or two round trips: their ratio is what chance did to a single packet.
        if [ "$wanted" != 0 ] && [ "$size" -ge 1000000 ]; then
            expect_between "ratio at $size bytes over $conditions" "$ratio" "$wanted" 1000
        fi
    done
}

case ${1:-short} in
    short)
        measure 1 10000000 "$floor" loss=0 loss=0
        measure 2 10000000 "$floor" loss=0 loss=1
        measure 1 1000000 0 loss=1 loss=1
        measure 1 1000000 0 loss=0 loss=5
        measure 1 100000 0 loss=5 loss=0
        measure 1 100000 0 loss=5 loss=5
        measure 1 1000000 0 reorder=1,duplicate=1 reorder=1,duplicate=1
        measure 1 1000000 0 corrupt=0.1 corrupt=0.1
        ;;
    long)
        limit_s=900
        for up in 0 1 5 10; do
            for down in 0 1 5 10; do
                wanted=0
                if [ "$up" -eq 0 ] && [ "$down" -le 1 ]; then wanted=$floor; fi
                measure 3 10000000 "$wanted" "loss=$up" "loss=$down"
            done
        done
        measure 3 10000000 0 reorder=1,duplicate=1 reorder=1,duplicate=1
        measure 3 10000000 0 corrupt=0.1 corrupt=0.1
        ;;
    *) fail "short or long, not $1" ;;
esac
