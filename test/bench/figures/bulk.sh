#!/bin/bash
# Bulk download over a veth pair of MTU 1500 without a bottleneck, by curl and by a client on the engine (trickles-load), beside
# kernel TCP (Reno, nginx with sendfile) with offloads and without, and beside a QUIC server of user space.

figure_bulk() {
    local bytes=300000000 quic_bytes=50000000
    if [ "$MODE" = full ]; then bytes=1000000000 quic_bytes=100000000; fi
    make_file bulk "$bytes"
    make_file bulk_quic "$quic_bytes"
    in_ns "$CLIENT" env TRICKLES=require "$BIN/trickles" curl -sf -o "$TMP/got" "http://${DIRECT_SERVER[1]}/bulk" || fail "the first bulk download"
    cmp "$TMP/got" "$WWW/bulk" || fail "the first bulk download: wrong bytes"
    rm "$TMP/got"
    quic_start bulk_quic
    local peers=(reno reno-plain)
    if [ "$QUIC" = yes ]; then peers+=(quic); fi
    bulk_cell veth 1 curl trickles "${peers[@]}"
    bulk_cell veth 1 engine trickles "${peers[@]}"
    bulk_cell "veth without offloads" 2 curl trickles reno
    bulk_cell "veth without offloads" 2 engine trickles reno
    if [ "$QUIC" = yes ]; then stop quic; fi
    rm "$WWW/bulk" "$WWW/bulk_quic"
}
# bulk_cell PATH PAIR CLIENT STACK...
bulk_cell() {
    local path=$1 pair=$2 client=$3 round stack; shift 3
    say "bulk: $path, $client"
    for ((round = 1; round <= ROUNDS; round++)); do
        for stack in $(in_turn "$round" "$@"); do
            bulk_turn "$client" "$stack" "$pair"
            record bulk "$path" "$client" 1 "$stack" 1 "$round" "$BYTES" "$SECONDS_TAKEN" "$PROBLEM"
        done
    done
}
# bulk_turn CLIENT STACK PAIR. reno-plain: over the pair without offloads.
bulk_turn() {
    local client=$1 stack=$2 pair=$3 to status=0
    if [ "$stack" = reno-plain ]; then pair=2; fi
    to=${DIRECT_SERVER[pair]}
    cat "$WWW/bulk" "$WWW/bulk_quic" >/dev/null    # from memory, for every stack
    meter_start "$stack" "$pair"
    PROBLEM=
    case $stack,$client in
        quic,*)        timed_run quic_get "$to" bulk_quic || status=$?; BYTES=$(stat -c %s "$WWW/bulk_quic") ;;
        *,engine)      load "$stack" "$to" bulk -n 1 -c 1 ;;
        trickles,curl) bulk_curl env TRICKLES=require "$BIN/trickles" curl "$(load_url "$stack" "$to" bulk)" || status=$? ;;
        *,curl)        bulk_curl curl "$(load_url "$stack" "$to" bulk)" || status=$? ;;
    esac
    meter_stop "$CPU_S"
    if [ "$status" -ne 0 ]; then PROBLEM="the client ended with $status"; fi
    if [ -z "$PROBLEM" ] && [ "$stack" != quic ] && [ "$BYTES" != "$(stat -c %s "$WWW/bulk")" ]; then PROBLEM="$BYTES bytes"; fi
}
bulk_curl() {
    timed_run in_ns "$CLIENT" "$@" -sS --fail --max-time 120 -o /dev/null -w '%{size_download}' || return
    BYTES=$(cat "$TMP/run.out")
}
