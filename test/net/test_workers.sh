#!/bin/bash
# Workers: one download is served by all of them, kill -9 and SIGSTOP of workers lose nothing, a successor takes over without a
# lost packet, keys change in all of them, and at the end nothing is left.
. "$(dirname "$0")/daemon.sh"
need_built "$TOOLS/trk-workerprobe"

topology_direct
daemon_setup
make_file big 20000000
make_file small 100000
CONTROL=$TMP/control
RANDOM=${TRICKLES_SEED:-$$}
workers_start() { local name=$1; shift; daemon_start "$SERVER" "$name" --workers 2 --control "$CONTROL" "$@"; }
workers_of() { pgrep -P "${PIDS[$1]}" || true; }
has_workers() { [ "$(workers_of "$1" | wc -l)" -eq "$2" ]; }
download() { fetch curl "$URL4/$1" "$TMP/got" || fail "$2: curl ended with $?"; cmp "$WWW/$1" "$TMP/got" || fail "$2: wrong bytes"; }
gone() { ! kill -0 "$1" 2>/dev/null; }

# ---- one flow, all workers ----
workers_start daemon --pcap "$TMP/pcap" --stats "$TMP/stats" --access-log "$TMP/access" --metrics "unix:$TMP/metrics"
wait_for 5 "two workers" has_workers daemon 2
download big "two workers"
for i in 0 1; do
    n=$(tcpdump -nr "$TMP/pcap.$i" "dst port $PORT" 2>/dev/null | wc -l)
    [ "$n" -gt 5 ] || fail "worker $i has seen only $n packets of the download"
done
in_ns "$SERVER" curl -sS --max-time 5 --unix-socket "$TMP/metrics" http://metrics/metrics >"$TMP/metrics.txt"
grep -q '^trickles_workers 2$' "$TMP/metrics.txt" || fail "the metrics do not tell of two workers"
stop daemon
expect "exit status at TERM" "$STOPPED" 0
[ ! -e "$CONTROL" ] || fail "the control socket is left over"

# ---- kill -9 ----
workers_start daemon
killer() {
    local pids
    while :; do
        sleep 0.1
        mapfile -t pids < <(workers_of daemon)
        [ ${#pids[@]} -eq 0 ] || kill -KILL "${pids[RANDOM % ${#pids[@]}]}" 2>/dev/null || true
    done
}
killer &
PIDS[killer]=$!
for i in {1..25}; do download small "download $i between kills"; done
download big "a long one between kills"
stop killer
wait_for 5 "two workers" has_workers daemon 2

# ---- SIGSTOP: the other goes on, and the one that hangs is replaced ----
hung=$(workers_of daemon | head -n 1)
kill -STOP "$hung"
began=$(milliseconds)
for i in {1..10}; do download small "download $i beside a worker that hangs"; done
took=$(($(milliseconds) - began))
wait_for 20 "the worker that hangs to be ended" gone "$hung"
wait_for 5 "two workers" has_workers daemon 2
say "ten downloads beside a worker that hangs: $took ms"
expect_between "milliseconds for ten downloads" "$took" 0 4000

# ---- an interface that comes later: new workers have its socket; one that goes takes none with it ----
make_veth "$CLIENT" c1 "$SERVER" s1
ip -n "$CLIENT" address add 10.78.0.2/24 dev c1
ip -n "$SERVER" address add 10.78.0.1/24 dev s1
later() { trickles curl -sS --fail --max-time 2 -o "$TMP/got" http://10.78.0.1/small && cmp "$WWW/small" "$TMP/got"; }
wait_for 10 "an answer by an interface that came later" later
ip -n "$CLIENT" link del c1
download small "after an interface went"
wait_for 5 "two workers" has_workers daemon 2

# ---- an upgrade in the middle of a download ----
trickles curl -sS --fail --max-time 60 --limit-rate 8M -o "$TMP/long" "$URL4/big" >"$TMP/long.log" 2>&1 &
PIDS[long]=$!
status=0
in_ns "$SERVER" timeout 10 "$BIN/tricklesd" --root "$TMP/nowhere" --listen "0.0.0.0:$PORT" --listen "[::]:$PORT" --workers 2 --control "$CONTROL" 2>/dev/null || status=$?
expect "status of a successor that cannot begin" "$status" 1
alive daemon || fail "the daemon ended for a successor that could not begin"
workers_start second
old=${PIDS[daemon]}
wait_for 5 "the first daemon to end" gone "$old"
stop daemon
expect "exit status of the one that handed over" "$STOPPED" 0
kill -USR2 "${PIDS[second]}"
old=${PIDS[second]}
wait_for 5 "the second daemon to end" gone "$old"
unset 'PIDS[second]'
download small "after two upgrades"
third=$(pgrep -f "^$BIN/tricklesd.*--control $CONTROL")
third=$(ps -o pid=,ppid= -p "$(tr '\n' ',' <<<"$third" | sed 's/,$//')" | awk '{ seen[$1] = $2 } END { for (p in seen) if (!(seen[p] in seen)) print p }')
PIDS[third]=$third

# ---- keys, in the middle of the same download ----
sed 's/current/retiring/' "$KEY" >"$TMP/new"
"$BIN/tricklesd" --generate-key "$TMP/next" >/dev/null
awk '$2 == "current" { print $1 + 1, $2, $3 }' "$TMP/next" >>"$TMP/new"
cat "$TMP/new" >"$KEY"
kill -HUP "$third"
download small "after a change of keys"
status=0
wait "${PIDS[long]}" || status=$?
unset 'PIDS[long]'
expect "curl's exit code over two upgrades and new keys" "$status" 0
cmp "$WWW/big" "$TMP/long" || fail "wrong bytes over two upgrades and new keys"

# ---- kill -9 of the master: nothing serves on, nothing holds the port ----
pids=$(workers_of third)
kill -KILL "$third"
for pid in $pids; do wait_for 5 "worker $pid to end with its master" gone "$pid"; done
unset 'PIDS[third]'
workers_start daemon                     # the control socket's name is left over: nobody listens there
download small "after a kill -9 of the master"
stop daemon

# ---- workers that cannot live: ever longer pauses, never a busy loop ----
start probe "$SERVER" "$TOOLS/trk-workerprobe" "$SERVER4:8080" 2 "$KEY" die=0
sleep 2
n=$(grep -c '^worker . begins' "$TMP/probe.log")
expect_between "lives of two workers that end at once, in 2 s" "$n" 8 24
stop probe
expect "exit status" "$STOPPED" 0
say "workers: fine"
