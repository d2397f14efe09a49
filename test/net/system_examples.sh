#!/bin/bash
# The README's example server: it is the text of examples/hello.c, and it says what it promises.
. "$(dirname "$0")/daemon.sh"
need ncat

# The first C block of the README.
awk '/^```c$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' "$ROOT/README.md" >"$TMP/readme.c"
diff "$ROOT/examples/hello.c" "$TMP/readme.c" || fail "the README's example is not examples/hello.c"

topology_direct
daemon_setup
need_built "$BIN/hello"
start hello "$SERVER" "$BIN/hello"
wait_for_port "$SERVER" 7777
trickles timeout 20 ncat --recv-only "$SERVER4" 7777 >"$TMP/got" || fail "ncat ended with $?"
yes 'hello, world' | head -n 10000 >"$TMP/wanted" || true
cmp "$TMP/wanted" "$TMP/got" || fail "wrong bytes"
