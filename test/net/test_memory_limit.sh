#!/bin/bash
# The daemon in a control group that may use 8 MB serves 10,000 connections: all of them are open at the same time, then each
# fetches 10 KB, all exact.
. "$(dirname "$0")/daemon.sh"
need_built "$TOOLS/trk-crowd"

limit=$((8 * 1000 * 1000)) connections=10000 name=trk-$$
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then group=/sys/fs/cgroup/$name file=memory.max used=memory.peak
else group=/sys/fs/cgroup/memory/$name file=memory.limit_in_bytes used=memory.max_usage_in_bytes; fi
mkdir "$group" 2>/dev/null || skip "no control group can be made here"
leave() {
    local status=$? i
    (cleanup)                            # in a shell of its own, as it would exit
    for ((i = 0; i < 100; i++)); do rmdir "$group" 2>/dev/null && break; sleep 0.05; done
    trap - EXIT
    exit "$status"
}
trap leave EXIT
echo "$limit" 2>/dev/null >"$group/$file" || skip "no memory limit can be set here"

topology_direct
daemon_setup
make_file file 10240
# In the group from its first page on; and into it first, as the groups are not to be seen from the namespace.
start daemon - sh -c "echo \$\$ >$group/cgroup.procs && exec ip netns exec $SERVER $BIN/tricklesd --root $WWW --key-file $KEY --listen 0.0.0.0:$PORT"
wait_for 5 "tricklesd to listen" daemon_listens "$SERVER" daemon
start crowd "$CLIENT" "$TOOLS/trk-crowd" "$SERVER4" "$PORT" "$connections" 0 1 /file "$WWW/file"
wait_for 60 "the crowd to end" grep -q '^fetched' "$TMP/crowd.log"
status=0
wait "${PIDS[crowd]}" || status=$?
unset 'PIDS[crowd]'
say "$(cat "$TMP/crowd.log")"
expect "the crowd's exit status" "$status" 0
alive daemon || fail "the daemon did not survive its limit"
grep -q "fetched $connections of $connections, $connections exact" "$TMP/crowd.log" || fail "not all were served"
say "most memory used at any time: $(cat "$group/$used" 2>/dev/null || echo unknown) of $limit bytes"
