#!/bin/bash
# A server that speaks first and whose outputs end where only it knows (examples/greeter), alone and while it is killed
# again and again in the middle of its sentences.
. "$(dirname "$0")/daemon.sh"

topology_direct
daemon_setup
need_built "$BIN/greeter"
greet() {
    start greeter "$SERVER" "$BIN/greeter" --listen "*:$PORT" --key-file "$KEY"
    wait_for_port "$SERVER" "$PORT"
}
greet
talk() { trickles "$PYTHON" "$NET_DIR/greeter_client.py" "$@" >"$TMP/talk.log" 2>&1; }
talk "$SERVER4" "$PORT" || fail "IPv4"
talk "$SERVER6" "$PORT" || fail "IPv6"

trickles "$PYTHON" "$NET_DIR/greeter_client.py" "$SERVER4" "$PORT" >"$TMP/talk.log" 2>&1 &
PIDS[talk]=$!
wait_for 10 "the greeting" grep -q greeted "$TMP/talk.log"
kills=0
while alive talk && [ $kills -lt 15 ]; do
    sleep 0.0$((RANDOM % 90 + 10))
    stop greeter KILL 2>/dev/null
    greet
    kills=$((kills + 1))
done
status=0
wait "${PIDS[talk]}" || status=$?
unset "PIDS[talk]"
expect "exit code of a client whose server was killed $kills times" "$status" 0
[ "$kills" -ge 3 ] || fail "the client was done after $kills kills: too fast to prove anything"
say "talked, also to a server that was killed $kills times"
