#!/bin/bash
# Uploads: curl -T to tricklesd --upload: sizes, statuses, what is refused, a killed server, a lossy path.
. "$(dirname "$0")/daemon.sh"

topology_path
daemon_setup
mkdir "$TMP/in" "$TMP/in/sub" "$TMP/elsewhere"
ln -s ../elsewhere "$TMP/in/out"
path_start --both delay=10
begin() { daemon_start "$SERVER" daemon --upload "$TMP/in" --verbose; }
begin

# put FILE PATH WANTED [curl options]: one upload, and the status that it gets.
put() {
    local file=$1 path=$2 wanted=$3 status
    shift 3
    status=$(trickles curl -sS --max-time 60 -o "$TMP/said" -w '%{http_code}' -T "$file" "$@" "$URL4/$path")
    expect "the status of PUT /$path ($(cat "$TMP/said"))" "$status" "$wanted"
}
same() { cmp "$TMP/$1" "$TMP/in/$2" || fail "/$2 has wrong bytes"; }

for bytes in 0 1 2 1000 100000 3000000; do
    head -c $bytes /dev/urandom >"$TMP/file$bytes"
    put "$TMP/file$bytes" "sub/got$bytes" 201
    same file$bytes sub/got$bytes
done
put "$TMP/file1000" sub/got2 200                     # in place of another
same file1000 sub/got2
put "$TMP/file100000" sub/plain 201 -H 'Expect:'     # without waiting for 100 Continue
same file100000 sub/plain
put "$TMP/file1000" old 201 --http1.0
same file1000 old
put "$TMP/file1000" nowhere/x 409
put "$TMP/file1000" sub 403                          # a directory
put "$TMP/file1000" out/x 409                      # a link that leads outside is no directory
put "$TMP/file1000" sub/%2e%2e/%2e%2e/elsewhere/x 403 --path-as-is
put "$TMP/file1000" .upload-x 403                    # names of uploads under way
put "$TMP/file1000" part 400 -H 'Content-Range: bytes 0-999/2000'
put - stream 411 -H 'Transfer-Encoding: chunked' <"$TMP/file1000"
expect "what is in the directory next door" "$(ls "$TMP/elsewhere")" ""
two=$(trickles curl -sS -T "$TMP/file1000" "$URL4/a" -T "$TMP/file100000" "$URL4/b" -w '%{num_connects}' -o /dev/null -o /dev/null)
expect "connections that two uploads needed" "$two" 10
same file1000 a
same file100000 b
expect "uploads that were left over" "$(ls -A "$TMP/in" | grep -c '^\.upload-' || true)" 0

# The window, not the round trip, is what an upload waits for: 3 MB of packets at 20 ms take 40 s one by one.
before=$(milliseconds)
put "$TMP/file3000000" fast 201
took=$(($(milliseconds) - before))
say "3 MB at a round trip of 20 ms: $took ms"
[ $took -lt 5000 ] || fail "3 MB took $took ms"

# The server is killed again and again, and the path loses packets both ways.

path_start --both delay=10,loss=1,rate=20,queue=100
trickles curl -sS --max-time 120 -o "$TMP/said" -w '%{http_code}' -T "$TMP/file3000000" "$URL4/killed" >"$TMP/curl.log" 2>&1 &
PIDS[curl]=$!
kills=0
for ((i = 0; i < 20 && kills < 5; i++)); do
    sleep 0.3
    alive curl || break
    daemon_kill
    kills=$((kills + 1))
    begin
done
status=0
wait "${PIDS[curl]}" || status=$?
unset 'PIDS[curl]'
expect "curl's exit code" "$status" 0
expect "the status" "$(cat "$TMP/curl.log")" 201
same file3000000 killed
[ $kills -ge 3 ] || fail "only $kills kills fell into the upload"
say "$kills kills in one upload at 1 % loss: every byte is there"

# Without --upload there are none.
stop daemon
daemon_start "$SERVER" daemon
put "$TMP/file1000" x 405
