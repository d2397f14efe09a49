#!/bin/bash
# Files of 0 bytes to 100 MB arrive byte-exact with curl, wget and python3's http.client.
#
#     system_files.sh ipv4|ipv6|loopback
. "$(dirname "$0")/daemon.sh"
need wget

topology_direct
daemon_setup
case ${1:-ipv4} in
    ipv4)     ns=$CLIENT device=s0 url=$URL4 ;;
    ipv6)     ns=$CLIENT device=s0 url=$URL6 ;;
    loopback) ns=$SERVER device=lo url=http://127.0.0.1 ;;
    *)        fail "unknown way: $1" ;;
esac
make_file empty 0
make_file byte 1
make_file kilobyte 1024
make_file megabyte 1048576
make_file hundred 104857600

daemon_start "$SERVER"
# The capture is taken of the small files: 100 MB of it would measure the disk.
capture_start "$SERVER" "$device"
for client in curl wget python; do
    for file in empty byte kilobyte megabyte; do
        fetch "$client" "$url/$file" "$TMP/got" "$ns" || fail "$client $file: ended with $?"
        cmp "$WWW/$file" "$TMP/got" || fail "$client $file: wrong bytes"
    done
done
capture_stop
capture_is_ours
say "captured: $COUNTS"

for client in curl wget python; do
    began=$(milliseconds)
    fetch "$client" "$url/hundred" "$TMP/got" "$ns" || fail "$client hundred: ended with $?"
    took=$(($(milliseconds) - began + 1))
    cmp "$WWW/hundred" "$TMP/got" || fail "$client hundred: wrong bytes"
    say "$client: 100 MB in $took ms, $((104857600 * 8 / took / 1000)) Mbit/s"
done
