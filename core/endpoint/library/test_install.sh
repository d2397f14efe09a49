#!/bin/bash
# libtrickles-client as a stranger finds it: installed, its header in C11 and C++17, built against by pkg-config (shared and
# static) and by CMake, and nothing but trickles_* to be seen in either library.
#
# usage: test_install.sh SOURCE BUILD CC
set -eEuo pipefail
source=$1 build=$2 cc=$3
if grep -qE '^TRICKLES_SANITIZE:[^=]*=.+' "$build/CMakeCache.txt"; then
    echo "SKIP unit.install_client: a sanitizer's libraries need its own compiler flags"
    exit 77
fi
for program in pkg-config nm c++ cmake; do
    command -v "$program" >/dev/null || { echo "SKIP unit.install_client: the program $program is not installed"; exit 77; }
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'echo "FAIL unit.install_client: line $LINENO: $BASH_COMMAND"' ERR

for component in trickles-client trickles-client-runtime; do
    cmake --install "$build" --component $component --prefix "$tmp/usr" >/dev/null
done
lib=$(dirname "$(find "$tmp/usr" -name libtrickles-client.a)")
export PKG_CONFIG_PATH=$lib/pkgconfig
pc() { pkg-config --define-variable=prefix="$tmp/usr" "$@" libtrickles-client; }

# Header: strict, without our definitions, and twice.
printf '#include <trickles/client.h>\n#include <trickles/client.h>\nint main(void) { return 0; }\n' >"$tmp/header.c"
"$cc" -std=c11 -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror -fsyntax-only $(pc --cflags) "$tmp/header.c"
c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ $(pc --cflags) "$tmp/header.c"

# Symbols.
seen=$(nm -D --defined-only "$lib/libtrickles-client.so" | awk '{ print $3 }' | grep -v '^trickles_' || true)
[ -z "$seen" ] || { echo "the shared library shows: $seen"; false; }
seen=$(nm -g --defined-only "$lib/libtrickles-client.a" | awk 'NF == 3 { print $3 }' | grep -v '^trickles_' || true)
[ -z "$seen" ] || { echo "the static library shows: $seen"; false; }
declared=$(grep -oE '^TRICKLES_API .*\btrickles_[a-z_]+\(' "$source/include/trickles/client.h" | grep -oE 'trickles_[a-z_]+\($' | tr -d '(' | sort -u)
defined=$(nm -D --defined-only "$lib/libtrickles-client.so" | awk '{ print $3 }' | sort -u)
[ "$declared" = "$defined" ] || { echo "declared and exported functions differ:"; diff <(echo "$declared") <(echo "$defined"); }
readelf -d "$lib/libtrickles-client.so" | grep -q 'SONAME.*libtrickles-client\.so\.0\]'

# A program of three kinds, and in C++; each runs, and says that there is no way to the server.
program=$source/examples/trickles-fetch.c
"$cc" -std=c11 "$program" $(pc --cflags --libs) -o "$tmp/shared"
"$cc" -std=c11 "$program" $(pc --cflags) "$lib/libtrickles-client.a" -lsodium -ldl -lpthread -o "$tmp/static"
cat >"$tmp/plus.cc" <<'END'
#include <netinet/in.h>
#include <cstdio>
#include <trickles/client.h>
int main()
{
    char error[TRICKLES_ERROR_BYTES];
    sockaddr_in server{};
    server.sin_family = AF_INET;               // 0.0.0.0 is nobody
    trickles *t = trickles_new(nullptr, error, sizeof error);
    trickles_target target{};
    target.peer = reinterpret_cast<sockaddr *>(&server);
    if (t && !trickles_open(t, &target))
        std::fprintf(stderr, "%s\n", trickles_why(t));
    trickles_free(t);
    return 1;
}
END
c++ -std=c++17 "$tmp/plus.cc" $(pc --cflags --libs) -o "$tmp/plus"
mkdir "$tmp/project"
cat >"$tmp/project/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.22)
project(stranger C)
find_package(trickles-client REQUIRED)
add_executable(stranger ${PROGRAM})
target_link_libraries(stranger PRIVATE trickles::client)
CMAKE
cmake -S "$tmp/project" -B "$tmp/project/build" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$tmp/usr" -DPROGRAM="$program" >/dev/null
cmake --build "$tmp/project/build" >/dev/null
for made in "$tmp/shared" "$tmp/static" "$tmp/plus" "$tmp/project/build/stranger"; do
    status=0
    LD_LIBRARY_PATH=$lib "$made" 0.0.0.0 2>"$tmp/err" || status=$?
    [ "$status" = 1 ]
    grep -q "peer is not the IPv4 or IPv6 address and port of one host" "$tmp/err"
done

# The header shows the program that is compiled here.
for line in 'trickles_new(NULL, error, sizeof error);' 'while ((n = trickles_read(c, bytes, sizeof bytes)) > 0)'; do
    grep -qF "$line" "$program"
    grep -qF "$line" "$source/include/trickles/client.h"
done
echo "installed, compiled and linked in every way"
