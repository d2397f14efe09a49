#!/bin/bash
# direct.sh - transfers over veth pairs without an emulator, and what they cost each side. Source it after stacks.sh.
#
# Pair 1 keeps the kernel's offloads, pair 2 has none: TSO, GSO, GRO and checksums off at both ends. Both run beside the path
# of the emulator, between the same two namespaces.
DIRECT_SERVER=(- 10.77.1.1 10.77.2.1) DIRECT_CLIENT=(- 10.77.1.2 10.77.2.2)
QUIC_PORT=4433

direct_start() {
    local i
    for i in 1 2; do
        make_veth "$CLIENT" "c$i" "$SERVER" "s$i"
        address "$CLIENT" "c$i" "${DIRECT_CLIENT[i]}/24" "fd00:77:$i::2/64"
        address "$SERVER" "s$i" "${DIRECT_SERVER[i]}/24" "fd00:77:$i::1/64"
    done
    # Thousands of new connections a second: kernel TCP shall not wait for ports that rest in TIME_WAIT.
    in_ns "$CLIENT" sysctl -qw net.ipv4.tcp_tw_reuse=1 net.ipv4.tcp_max_tw_buckets=1000 net.ipv4.ip_local_port_range="1024 65000"
    offloads_off "$CLIENT" c2
    offloads_off "$SERVER" s2
    wait_for 5 "tricklesd on the second pair" in_ns "$CLIENT" env TRICKLES=require "$BIN/trickles" \
        curl -sf --max-time 2 -o /dev/null "http://${DIRECT_SERVER[2]}/$FLOW_FILE" -r 0-9
}

# quic_start: sets QUIC=yes, or no where Debian's ngtcp2-server and ngtcp2-client (GnuTLS) are not installed.
quic_start() {
    QUIC=no
    if ! command -v gtlsserver >/dev/null || ! command -v gtlsclient >/dev/null; then
        say "  no QUIC peer: install ngtcp2-server and ngtcp2-client"
        return
    fi
    QUIC=yes
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$TMP/quic.key" -out "$TMP/quic.crt" -days 2 \
        -subj /CN=bench 2>/dev/null || fail "openssl made no certificate"
    start quic "$SERVER" gtlsserver -q --cc=reno "--htdocs=$WWW" --max-udp-payload-size=1452 0.0.0.0 "$QUIC_PORT" "$TMP/quic.key" "$TMP/quic.crt"
    sleep 0.5
    mkdir -p "$TMP/quic"
    quic_get "${DIRECT_SERVER[1]}" "$1" "--download=$TMP/quic" || fail "the QUIC peer's client ended with an error"
    cmp "$TMP/quic/$1" "$WWW/$1" || fail "the QUIC peer's bytes are wrong"
    rm -r "$TMP/quic"
}
# quic_get ADDRESS FILE [options]
quic_get() {
    local to=$1 file=$2; shift 2
    in_ns "$CLIENT" gtlsclient -q --cc=reno --no-quic-dump --no-http-dump --exit-on-all-streams-close --max-udp-payload-size=1452 \
        --max-data=16M --max-stream-data-bidi-local=16M --max-window=16M --max-stream-window=16M "$@" \
        "$to" "$QUIC_PORT" "https://$to:$QUIC_PORT/$file" >"$TMP/quic_client.log" 2>&1
}

# ---- what it costs ----
# server_processes STACK: their ids.
server_processes() {
    case $1 in
        trickles) echo "${PIDS[daemon]}" ;;
        quic)     echo "${PIDS[quic]}" ;;
        *)        echo "${PIDS[nginx]}"; pgrep -P "${PIDS[nginx]}" ;;
    esac
}
# cpu_ns PID...: CPU time of these processes so far, ns, with what the kernel did on their account.
cpu_ns() {
    local pid
    for pid; do cat /proc/"$pid"/task/*/schedstat 2>/dev/null; done | awk '{ sum += $1 } END { printf "%.0f", sum }'
}
# waited_ns PID...: how long they were ready and had no core.
waited_ns() {
    local pid
    for pid; do cat /proc/"$pid"/task/*/schedstat 2>/dev/null; done | awk '{ sum += $2 } END { printf "%.0f", sum }'
}
resident_kb() {
    local pid
    for pid; do cat "/proc/$pid/status"; done | awk '/^VmRSS:/ { sum += $2 } END { print sum }'
}
# frames NS DEV: sent by that side; one that the device need not cut counts as one.
frames() { in_ns "$1" cat "/sys/class/net/$2/statistics/tx_packets"; }

# meter_start STACK PAIR
meter_start() {
    METER_IDS=$(server_processes "$1") METER_PAIR=$2
    METER_CPU=$(cpu_ns $METER_IDS) METER_WAITED=$(waited_ns $METER_IDS) METER_BEGAN=$(milliseconds)
    METER_S=$(frames "$SERVER" "s$2") METER_C=$(frames "$CLIENT" "c$2")
}
# meter_stop CLIENT_CPU_S: sets COSTS, for record. Says so if the server had to wait for a core: Trickles works in processes, kernel TCP
# in interrupts, so what else runs on the machine slows the one and hardly the other, while CPU time shows nothing of it.
meter_stop() {
    local cpu
    if awk -v ns="$(($(waited_ns $METER_IDS) - METER_WAITED))" -v ms="$(($(milliseconds) - METER_BEGAN))" 'BEGIN { exit ns / 1e6 <= ms / 4 }'; then
        say "  the server waited for a core a quarter of the time or more: something else runs on this machine"
    fi
    cpu=$(awk -v a="$METER_CPU" -v b="$(cpu_ns $METER_IDS)" 'BEGIN { printf "%.6f", (b - a) / 1e9 }')
    COSTS=$cpu,$1,$(($(frames "$SERVER" "s$METER_PAIR") - METER_S)),$(($(frames "$CLIENT" "c$METER_PAIR") - METER_C)),${RESIDENT_KB:-}
}
# timed_run COMMAND...: its output in $TMP/run.out, its CPU time in CPU_S, its duration in SECONDS_TAKEN.
timed_run() {
    local TIMEFORMAT='%R %U %S' status=0
    { time "$@" >"$TMP/run.out" 2>"$TMP/run.log"; } 2>"$TMP/run.time" || status=$?
    read -r SECONDS_TAKEN CPU_S < <(awk '{ print $1, $2 + $3 }' "$TMP/run.time")
    return "$status"
}

# ---- trickles-load ----
# load_url STACK ADDRESS FILE
load_url() { if [ "$1" = trickles ]; then echo "http://$2/$3"; else echo "http://$2:$TCP_PORT/$3"; fi; }
# load_options STACK
load_options() { if [ "$1" != trickles ]; then echo --tcp; fi; }
# json KEY: a number out of $TMP/run.out.
json() { sed -E "s/.*\"$1\":([0-9.]+).*/\1/" "$TMP/run.out"; }
# load STACK ADDRESS FILE options...: sets BYTES (of bodies), ANSWERS, SECONDS_TAKEN, CPU_S, PROBLEM.
load() {
    local stack=$1 to=$2 file=$3 status=0; shift 3
    BYTES=0 ANSWERS=0 PROBLEM=
    timed_run in_ns "$CLIENT" "$BIN/trickles-load" -q $(load_options "$stack") --json=- "$@" "$(load_url "$stack" "$to" "$file")" || status=$?
    if [ "$status" -ne 0 ] || ! grep -q '"body_bytes"' "$TMP/run.out"; then
        PROBLEM="trickles-load ended with $status: $(tail -n 1 "$TMP/run.log" | tr ',\n' '  ')"
        return
    fi
    BYTES=$(json body_bytes) ANSWERS=$(json answers) SECONDS_TAKEN=$(json seconds)
    if [ "$(json errors)" != 0 ]; then PROBLEM="$(json errors) errors of $ANSWERS answers"; fi
}
