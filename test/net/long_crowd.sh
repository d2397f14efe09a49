#!/bin/bash
# A million connections opened and left idle for longer than the horizon; then a random 1 % of them fetch 10 KB, and all of that
# is exact. The daemon's memory grows by less than 1 MB, with its cache within the cache's bound. Beside it nginx on the kernel's TCP
# with as many connections as the limits of this machine allow, in one table.
#
#     long_crowd.sh [CONNECTIONS [IDLE_SECONDS]]
. "$(dirname "$0")/daemon.sh"
. "$NET_DIR/beside_tcp.sh"
need python3
need_built "$TOOLS/trk-crowd"

connections=${1:-1000000} idle=${2:-65} cache_kib=1024 tcp_connections=${TRICKLES_TCP_CONNECTIONS:-15000}
topology_direct
daemon_setup
beside_tcp_setup
make_file file 10240
resident_kib() { awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"; }
# What the kernel holds in small objects: sockets, and what belongs to them.
kernel_kib() { awk '/^(Slab|PageTables):/ { n += $2 } END { print n }' /proc/meminfo; }
row() { printf '%-34s %12s %16s %16s %14s  %s\n' "$@"; }
crowd_says() { alive crowd || fail "the client ended early"; grep -q "^$1" "$TMP/crowd.log"; }

# crowd NAME BOUND_KIB [daemon options]: the whole life of a crowd; adds a row to the table.
crowd() {
    local name=$1 bound=$2 before after later kernel began ended; shift 2
    daemon_start "$SERVER" daemon "$@"
    for i in 1 2 3; do fetch curl "$URL4/file" "$TMP/got"; done          # what is touched for the first time is no connection's price
    before=$(resident_kib "${PIDS[daemon]}") kernel=$(kernel_kib)
    start crowd "$CLIENT" "$TOOLS/trk-crowd" "$SERVER4" "$PORT" "$connections" "$idle" 0.01 /file "$WWW/file"
    wait_for 300 "$connections open connections" crowd_says opened
    sleep 1
    after=$(resident_kib "${PIDS[daemon]}") kernel=$(($(kernel_kib) - kernel))
    say "$(cat "$TMP/crowd.log")"
    wait_for $((idle + 300)) "the fetches" grep -q '^fetched' "$TMP/crowd.log"
    local status=0
    wait "${PIDS[crowd]}" || status=$?
    unset 'PIDS[crowd]'
    later=$(resident_kib "${PIDS[daemon]}")
    say "$(tail -n 1 "$TMP/crowd.log")"
    expect "the crowd's exit status" "$status" 0
    ROWS+=("$name|$connections|$before|$((after - before))|$((later - before))|$kernel")
    expect_between "$name: resident memory for $connections connections, KiB" $((after - before)) -1000000 "$bound"
    expect_between "$name: the same after the fetches, KiB" $((later - before)) -1000000 "$bound"
    stop daemon
}

ROWS=()
crowd "tricklesd" 1023
crowd "tricklesd, cache of $cache_kib KiB" $((cache_kib + 1023)) --cache-memory "$cache_kib"

# ---- the kernel's TCP ----
sed -i "s/worker_connections 1024/worker_connections $((tcp_connections + 100))/; s/worker_rlimit_nofile [0-9]*;/worker_rlimit_nofile $((tcp_connections + 200));/; s/access_log off;/access_log off; keepalive_timeout 600;/" "$TMP/nginx.conf"
in_ns "$CLIENT" sysctl -qw net.ipv4.ip_local_port_range="1024 65535"
in_ns "$SERVER" sysctl -qw net.core.somaxconn=4096
start nginx "$SERVER" nginx -c "$TMP/nginx.conf" -g 'daemon off;'
wait_for_port "$SERVER" "$TCP_PORT"
in_ns "$CLIENT" curl -sS -o /dev/null "http://$SERVER4:$TCP_PORT/file"
worker=$(pgrep -P "${PIDS[nginx]}")
before=$(resident_kib "$worker") kernel=$(kernel_kib)
mkfifo "$TMP/hold"
in_ns "$CLIENT" "$PYTHON" "$NET_DIR/hold_connections.py" "$SERVER4" "$TCP_PORT" "$tcp_connections" /file <"$TMP/hold" >"$TMP/tcp.log" 2>&1 &
PIDS[hold]=$!
exec {hold_fd}>"$TMP/hold"
tcp_open() { alive hold || fail "TCP: $(tail -n 1 "$TMP/tcp.log")"; grep -q '^open' "$TMP/tcp.log"; }
wait_for 120 "$tcp_connections TCP connections" tcp_open
sleep 1
ROWS+=("nginx, kernel TCP|$tcp_connections|$before|$(($(resident_kib "$worker") - before))|-|$(($(kernel_kib) - kernel))")

say ""
row "server" "connections" "resident KiB" "growth, open" "after fetches" "kernel KiB (both ends)"
for line in "${ROWS[@]}"; do IFS='|' read -ra cells <<<"$line"; row "${cells[@]}"; done
say "Linux $(uname -r); kernel: growth of Slab and PageTables of the whole machine, so whatever else runs is in it"
