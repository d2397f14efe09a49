#!/bin/bash
# A file of 2 GiB and one byte: no counter of 31 or 32 bits is left in the way.
#
#     system_big.sh ipv4|ipv6|loopback curl|wget|python
. "$(dirname "$0")/daemon.sh"

topology_direct
daemon_setup
case ${1:-ipv4} in
    ipv4)     ns=$CLIENT url=$URL4 ;;
    ipv6)     ns=$CLIENT url=$URL6 ;;
    loopback) ns=$SERVER url=http://127.0.0.1 ;;
    *)        fail "unknown way: $1" ;;
esac
# Sparse, but different wherever an offset could wrap: at its start, beside 1 GiB, 2 GiB and the end.
size=$((2 * 1024 * 1024 * 1024 + 1))
truncate -s "$size" "$WWW/big"
for at in 0 1073741820 2147418112 $((size - 4)); do
    head -c 4 /dev/urandom | dd of="$WWW/big" bs=1 seek="$at" conv=notrunc status=none
done

daemon_start "$SERVER"
mkfifo "$TMP/pipe"
cmp "$TMP/pipe" "$WWW/big" >"$TMP/cmp.log" 2>&1 &
cmp_pid=$!
PIDS[cmp]=$cmp_pid
began=$(milliseconds)
case ${2:-curl} in
    curl) trickles_in "$ns" curl -sS --fail --max-time 280 -o "$TMP/pipe" "$url/big" || fail "curl ended with $?" ;;
    *)    fetch "$2" "$url/big" "$TMP/pipe" "$ns" || fail "$2 ended with $?" ;;
esac
took=$(($(milliseconds) - began + 1))
wait "$cmp_pid" || fail "wrong bytes: $(cat "$TMP/cmp.log")"
say "2 GiB + 1 in $took ms, $((size * 8 / took / 1000)) Mbit/s"
