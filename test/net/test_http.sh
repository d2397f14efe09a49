#!/bin/bash
# What tricklesd says to each kind of request: statuses, methods, versions, ranges, conditions, bodies, long heads,
# requests in pieces and in heaps, half-closed streams, files that change.
. "$(dirname "$0")/daemon.sh"

topology_direct
daemon_setup
make_file file.txt 1000
mkdir "$WWW/dir" "$WWW/bare"
echo "the index" >"$WWW/dir/index.html"
echo "odd" >"$WWW/odd name%.txt"
ln -s file.txt "$WWW/inside"
ln -s ../key "$WWW/outside"
daemon_start "$SERVER" daemon --verbose
trickles "$PYTHON" "$NET_DIR/http_cases.py" "$SERVER4" "$PORT" "$WWW" || fail "some answers are wrong"
grep -q "/changing has changed since its download began: connection reset" "$TMP/daemon.log" || fail "the log does not say that a file changed"
