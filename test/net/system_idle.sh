#!/bin/bash
# A connection that is silent for twice the horizon (60 s) serves another GET: age ends nothing.
. "$(dirname "$0")/daemon.sh"

topology_direct
daemon_setup
make_file some 300000
daemon_start "$SERVER"
capture_start "$SERVER" s0
trickles "$PYTHON" "$NET_DIR/http_keepalive.py" "$SERVER4" /some 3 "$WWW/some" 125 >"$TMP/python.log" 2>&1 || fail "a GET after 125 s"
capture_stop
capture_is_ours
expect "connections" "$(counted connections)" 1
