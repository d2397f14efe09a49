#!/bin/bash
# laws.sh - the laws of the house that no compiler keeps: what libtrickles-core.a may call, that it holds no
# mutable globals, and which way #includes point. Builds its own Release objects, so it does not depend on
# how the tree was configured. Usage: laws.sh SOURCE_DIR
set -u
source_dir=${1:?usage: laws.sh SOURCE_DIR}
cc=${CC:-cc}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failures=0

fail() { echo "laws: $*"; failures=$((failures + 1)); }

# compile FILE.c OBJECT, as a Release build does
compile() { "$cc" -std=c11 -D_GNU_SOURCE -DNDEBUG -O2 -fPIC -fstack-protector-strong -I"$source_dir/core" -c "$1" -o "$2"; }

# ---- law 1: pure functions. Prints the symbols an object set needs that it may not. ----
# bcmp and strlen: what clang makes of a memcmp that asks for equality and of a fixed string.
allowed='^(mem(cpy|move|set|cmp|chr)|bcmp|strlen|crypto_[a-z0-9_]+|sodium_[a-z0-9_]+|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$'
forbidden_calls() {
    nm -u "$@" | awk 'NF == 2 { print $2 }' | sort -u >"$work/needed"
    nm --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u >"$work/defined"
    comm -23 "$work/needed" "$work/defined" | grep -Ev "$allowed"
}

# ---- law 2: no memory of its own. Prints objects in writable sections. (Not nm: it shows tables of pointers,
# which are constant once relocated, like variables.) ----
mutable_globals() {
    objdump -t "$@" | grep -vE '[[:space:]]\.data\.rel\.ro' |
        awk '/[[:space:]](\.(data|bss|tdata|tbss|common)[^[:space:]]*|\*COM\*)[[:space:]]/ && $NF !~ /^\./ { print $NF }' | sort -u
}

# ---- law 3: dependencies point one way. Prints "file: header" for each #include that a room may not have. ----
# wrong_includes DIR REGEX and wrong_system_includes DIR REGEX: "quoted" and <system> headers must match REGEX.
wrong_includes() {
    find "$1" -name '*.[ch]' -exec grep -HoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]+"' {} + 2>/dev/null |
        sed -E 's/:[[:space:]]*#[[:space:]]*include[[:space:]]*"/: /; s/"$//' | grep -Ev ": ($2)$"
}
wrong_system_includes() {
    find "$1" -name '*.[ch]' -exec grep -HoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<[^>]+>' {} + 2>/dev/null |
        sed -E 's/:[[:space:]]*#[[:space:]]*include[[:space:]]*</: /; s/>$//' | grep -Ev ": ($2)$"
}
# reaches_into DIR REGEX: headers, of either kind, whose path begins with REGEX.
reaches_into() {
    find "$1" -name '*.[ch]' -exec grep -HnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<](\.\./)*($2)" {} + 2>/dev/null
}

check_core() {
    local objects=() file object
    for file in "$source_dir"/core/{wire,tcb,serve,client}/*.c; do
        [ -e "$file" ] || continue
        object=$work/$(basename "$(dirname "$file")")_$(basename "$file" .c).o
        compile "$file" "$object" || { fail "$file does not compile"; continue; }
        objects+=("$object")
    done
    [ "${#objects[@]}" -ge 10 ] || { fail "only ${#objects[@]} objects: is $source_dir the source tree?"; return; }
    ar rcs "$work/libtrickles-core.a" "${objects[@]}"
    local found
    found=$(forbidden_calls "$work/libtrickles-core.a") && fail "the core calls what it may not:" $found
    found=$(mutable_globals "$work/libtrickles-core.a")
    [ -z "$found" ] || fail "the core has mutable globals:" $found
}

check_includes() {
    local found room pure='(std(bool|def|int)|string|assert|limits)\.h'
    while read -r room may; do
        found=$(wrong_includes "$source_dir/core/$room" "$may") && fail "core/$room includes what it may not:" "$found"
    done <<-'END'
	wire	wire/[a-z_]+\.h
	tcb	(wire|tcb)/[a-z_]+\.h
	serve	(wire|tcb|serve)/[a-z_]+\.h
	client	(wire|tcb|client)/[a-z_]+\.h
	link	(wire|link)/[a-z_]+\.h
	endpoint	(wire|client|link|endpoint|endpoint/library)/[a-z_]+\.h
	END
    for room in wire tcb serve client; do    # serve: the filter is shared by workers, and looks at cache lines
        found=$(wrong_system_includes "$source_dir/core/$room" "$pure|sodium\.h$([ $room = serve ] && echo '|stdatomic\.h|emmintrin\.h')") && fail "core/$room includes what it may not:" "$found"
    done
    for room in wire client; do        # keys belong to tcb and, through it, to the server
        found=$(wrong_system_includes "$source_dir/core/$room" "$pure") && fail "core/$room includes what it may not:" "$found"
    done
    found=$(reaches_into "$source_dir/server" 'shim/|client/|endpoint/|trickles/client') && fail "the server reaches into the client:" "$found"
    found=$(reaches_into "$source_dir/shim" 'server/|serve/|trickles/minisocket') && fail "the shim reaches into the server:" "$found"
}

# ---- the checker itself: each law, broken on purpose, must be seen ----
expect_found() { [ "$2" = "$3" ] || fail "self-test, $1: expected '$3', found '$2'"; }
self_test() {
    local t=$work/self
    mkdir -p "$t/core/wire" "$t/core/tcb"
    cat >"$t/bad.c" <<-'END'
	#include <stdlib.h>
	#include <string.h>
	#include <time.h>
	static int counter;
	int remembered = 5;
	static _Thread_local int local;
	static const int fine[2] = { 1, 2 };
	const char *const fine_names[] = { "relocated", "once" };
	void *bad(const char *s, int i);
	void *bad(const char *s, int i)
	{
	    char *p = malloc(strtoul(s, NULL, 10) + (size_t)time(NULL) + (size_t)fine[i & 1]);
	    if (p)
	        memcpy(p, s, (size_t)++counter + (size_t)++local);
	    return p;
	}
	END
    compile "$t/bad.c" "$t/bad.o" || { fail "self-test does not compile"; return; }
    expect_found "calls" "$(forbidden_calls "$t/bad.o" | tr '\n' ' ' | sed 's/__tls_get_addr //')" "malloc strtoul time "
    expect_found "globals" "$(mutable_globals "$t/bad.o" | tr '\n' ' ')" "counter local remembered "
    printf '#include "tcb/keys.h"\n  #  include "wire/segment.h"\n#include <time.h>\n#include <string.h>\n' >"$t/core/wire/x.c"
    expect_found "includes" "$(wrong_includes "$t/core/wire" 'wire/[a-z_]+\.h')" "$t/core/wire/x.c: tcb/keys.h"
    expect_found "reaching across" "$(reaches_into "$t/core/wire" 'tcb/|serve/')" "$t/core/wire/x.c:1:#include \"tcb/keys.h\""
    expect_found "system includes" "$(wrong_system_includes "$t/core/wire" 'string\.h')" "$t/core/wire/x.c: time.h"
}

self_test
check_core
check_includes
[ "$failures" -eq 0 ] && echo "laws: kept"
exit $((failures > 0))
