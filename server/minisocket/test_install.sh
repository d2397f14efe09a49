#!/bin/bash
# libminisocket as a stranger finds it: installed, its headers in C11 and C++17, built against by pkg-config (shared and
# static) and by CMake, and nothing but msk_* to be seen in either library.
#
# usage: test_install.sh SOURCE BUILD CC
set -eEuo pipefail
source=$1 build=$2 cc=$3
if grep -qE '^TRICKLES_SANITIZE:[^=]*=.+' "$build/CMakeCache.txt"; then
    echo "SKIP unit.install: a sanitizer's libraries need its own compiler flags"
    exit 77
fi
for program in pkg-config nm c++ cmake; do
    command -v "$program" >/dev/null || { echo "SKIP unit.install: the program $program is not installed"; exit 77; }
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'echo "FAIL unit.install: line $LINENO: $BASH_COMMAND"' ERR

for component in minisocket-runtime minisocket; do cmake --install "$build" --component "$component" --prefix "$tmp/usr" >/dev/null; done
lib=$(dirname "$(find "$tmp/usr" -name libminisocket.a)")
export PKG_CONFIG_PATH=$lib/pkgconfig
flags=$(pkg-config --define-variable=prefix="$tmp/usr" --cflags libminisocket)

# Headers: strict, without our definitions, and twice.
for header in minisocket minisocket_ev; do
    printf '#include <trickles/%s.h>\n#include <trickles/%s.h>\nint main(void) { return 0; }\n' $header $header >"$tmp/header.c"
    "$cc" -std=c11 -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror -fsyntax-only $flags "$tmp/header.c"
    c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ $flags "$tmp/header.c"
done

# Symbols.
seen=$(nm -D --defined-only "$lib/libminisocket.so" | awk '{ print $3 }' | grep -v '^msk_' || true)
[ -z "$seen" ] || { echo "the shared library shows: $seen"; false; }
seen=$(nm -g --defined-only "$lib/libminisocket.a" | awk 'NF == 3 { print $3 }' | grep -v '^msk_' || true)
[ -z "$seen" ] || { echo "the static library shows: $seen"; false; }
declared=$(grep -oE '\bmsk_[a-z_0-9]+\(' "$source/include/trickles/minisocket.h" | tr -d '(' | sort -u)
defined=$(nm -D --defined-only "$lib/libminisocket.so" | awk '{ print $3 }' | sort -u)
[ "$declared" = "$defined" ] || { echo "declared and exported functions differ:"; diff <(echo "$declared") <(echo "$defined"); }

# A program of three kinds, each of which runs and says what it lacks.
pc() { pkg-config --define-variable=prefix="$tmp/usr" "$@" libminisocket; }
"$cc" -std=c11 -D_GNU_SOURCE "$source/examples/greeter.c" $(pc --cflags --libs) -o "$tmp/shared"
"$cc" -std=c11 -D_GNU_SOURCE "$source/examples/greeter.c" $(pc --cflags) "$lib/libminisocket.a" -lsodium -ldl -lpthread -o "$tmp/static"
mkdir "$tmp/project"
cat >"$tmp/project/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.22)
project(stranger C)
find_package(minisocket REQUIRED)
add_executable(stranger ${GREETER})
target_compile_definitions(stranger PRIVATE _GNU_SOURCE)
target_link_libraries(stranger PRIVATE trickles::minisocket)
CMAKE
cmake -S "$tmp/project" -B "$tmp/project/build" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$tmp/usr" -DGREETER="$source/examples/greeter.c" >/dev/null
cmake --build "$tmp/project/build" >/dev/null
for program in "$tmp/shared" "$tmp/static" "$tmp/project/build/stranger"; do
    status=0
    LD_LIBRARY_PATH=$lib "$program" --listen nonsense --key-file "$tmp/none" 2>"$tmp/err" || status=$?
    [ "$status" = 1 ]
    grep -q "key file $tmp/none: No such file" "$tmp/err"
done
echo "installed, compiled and linked in every way"
