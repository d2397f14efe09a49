#!/bin/bash
# The first command of the README: an unmodified curl downloads a file while its server is killed twice.
#
#   sudo examples/demo.sh
#
# Builds into build/, works in two network namespaces of its own, and removes everything afterwards.
# Exits 0 only if the file arrived whole and both kills happened while the download was running.
#
#     curl  <---- veth, 24 Mbit/s ---->  tricklesd
#    (client namespace)                 (server namespace)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
bin=$build/bin

file_megabytes=50
rate=24mbit                     # 50 MB take about 18 s
server_address=10.78.0.1
client_address=10.78.0.2
url=http://$server_address/random.bin

client=trk-demo-$$-client
server=trk-demo-$$-server
tmp=
daemon_pid=
curl_pid=

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
say()  { printf '  %s\n' "$*"; }
fail() {
    printf '\ndemo: %s\n' "$*" >&2
    if [ -n "$tmp" ] && [ -s "$tmp/daemon.log" ]; then
        printf -- '--- what tricklesd said last:\n' >&2
        tail -n 10 "$tmp/daemon.log" >&2
    fi
    exit 1
}

end_process() { # PID [SIGNAL]
    if [ -n "$1" ]; then
        kill "-${2:-TERM}" "$1" 2>/dev/null || true
        wait "$1" 2>/dev/null || true
    fi
}
cleanup() {
    local status=$?
    trap - EXIT INT TERM HUP
    set +e
    end_process "$curl_pid"
    end_process "$daemon_pid" KILL
    ip netns del "$client" 2>/dev/null
    ip netns del "$server" 2>/dev/null
    if [ -n "$tmp" ]; then rm -rf "$tmp"; fi
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

build_everything() {
    step 'Building'
    "$root/cmake/bootstrap.sh" build run
    if ! { cmake -S "$root" -B "$build" -DBUILD_TESTING=OFF && cmake --build "$build" -j"$(nproc)"; } >"$tmp/build.log" 2>&1; then
        tail -n 30 "$tmp/build.log" >&2
        fail 'the build failed (see above)'
    fi
    say "programs are in $bin"
}

make_network() {
    ip netns add "$client"
    ip netns add "$server"
    ip -n "$client" link add c0 type veth peer name s0 netns "$server"
    ip -n "$client" address add "$client_address/24" dev c0
    ip -n "$server" address add "$server_address/24" dev s0
    local end
    for end in "$client lo" "$client c0" "$server lo" "$server s0"; do
        ip -n "${end% *}" link set "${end#* }" up
    done
    # The kernel shall cut what is sent in one piece here, so that its packets can be counted.
    ip netns exec "$server" ethtool -K s0 tso off gso off >/dev/null
    tc -n "$server" qdisc add dev s0 root tbf rate "$rate" burst 32kb latency 60ms 2>/dev/null ||
        fail 'this kernel cannot limit the rate of a link (tc: no tbf)'
}

start_daemon() {
    ip netns exec "$server" "$bin/tricklesd" --root "$tmp/www" --listen "$server_address:80" --key-file "$tmp/key" \
        >>"$tmp/daemon.log" 2>&1 </dev/null &
    daemon_pid=$!
    local i
    for ((i = 0; i < 100; i++)); do
        if [ -n "$(ip netns exec "$server" ss -Hltn 'sport = :80')" ]; then return 0; fi
        kill -0 "$daemon_pid" 2>/dev/null || fail 'tricklesd did not start'
        sleep 0.05
    done
    fail 'tricklesd did not listen within 5 s'
}

resident_kb() { awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"; }
arrived() { stat -c %s "$tmp/copy.bin" 2>/dev/null || echo 0; }
packets() { ip netns exec "$server" cat "/sys/class/net/s0/statistics/$1_packets"; }

# Kill the server with -9 when PERCENT of the file has arrived, leave it dead for a second, start another one.
kill_at() {
    local wanted=$((size * $1 / 100)) i
    for ((i = 0; i < 1200; i++)); do
        if [ "$(arrived)" -ge "$wanted" ]; then break; fi
        kill -0 "$curl_pid" 2>/dev/null || fail "curl ended before $1 % of the file had arrived"
        sleep 0.05
    done
    local old_pid=$daemon_pid at
    end_process "$daemon_pid" KILL
    at=$(($(arrived) * 100 / size))
    kill -0 "$curl_pid" 2>/dev/null || fail 'curl did not survive, or was done before the server was killed'
    printf '\n  >> at %d %%: kill -9 %d (tricklesd)' "$at" "$old_pid"
    sleep 1
    start_daemon
    if [ "$(arrived)" -ge "$size" ] || ! kill -0 "$curl_pid" 2>/dev/null; then fail 'the kill came too late to prove anything'; fi
    printf ' ... one second later a new one runs as %d, and knows nothing\n' "$daemon_pid"
}

download() {
    local options=(--progress-bar --max-time 120 --output "$tmp/copy.bin")
    ip netns exec "$client" env TRICKLES=require "$bin/trickles" curl "${options[@]}" "$url" &
    curl_pid=$!
    kill_at 30
    kill_at 65
    local status=0
    wait "$curl_pid" || status=$?
    curl_pid=
    [ "$status" -eq 0 ] || fail "curl ended with code $status"
}

main() {
    [ "$(id -u)" -eq 0 ] || fail 'network namespaces and packet sockets need root: sudo examples/demo.sh'
    tmp=$(mktemp -d "${TMPDIR:-/tmp}/trickles-demo-XXXXXX")
    build_everything

    step "Two network namespaces joined by a link of $rate, a key, and a random file of $file_megabytes MB"
    make_network
    mkdir "$tmp/www"
    head -c "${file_megabytes}MB" /dev/urandom >"$tmp/www/random.bin"
    size=$(stat -c %s "$tmp/www/random.bin")
    "$bin/tricklesd" --generate-key "$tmp/key" >/dev/null
    start_daemon
    local rss_before rss_after
    rss_before=$(resident_kb "$daemon_pid")
    say "tricklesd runs as process $daemon_pid and uses $rss_before kB of resident memory"

    step 'An unmodified curl downloads the file. Its server is killed twice in the middle'
    say "trickles curl $url"
    local began=$SECONDS
    download
    rss_after=$(resident_kb "$daemon_pid")

    step 'The result'
    say "time:      $((SECONDS - began)) s, two of them without any server"
    say "packets:   $(packets tx) from the server, $(packets rx) from the client"
    say "memory:    the server used $rss_before kB before and uses $rss_after kB after"
    say "original:  $(sha256sum <"$tmp/www/random.bin" | cut -d' ' -f1)"
    say "received:  $(sha256sum <"$tmp/copy.bin" | cut -d' ' -f1)"
    cmp -s "$tmp/www/random.bin" "$tmp/copy.bin" || fail 'the file differs from the original'
    step 'The same file: the server keeps nothing about its connections, so there was nothing to lose.'
}
main "$@"
