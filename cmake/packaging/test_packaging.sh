#!/bin/bash
# The Debian packages hold what their names promise and a program is built against the unpacked ones; man pages and the systemd
# unit are well-formed and tell of each option there is.
#
# usage: test_packaging.sh SOURCE BUILD
set -eEuo pipefail
source=$1 build=$2
if grep -qE '^TRICKLES_SANITIZE:[^=]*=.+' "$build/CMakeCache.txt"; then
    echo "SKIP unit.packaging: a sanitizer's libraries are not for packages"
    exit 77
fi
for program in cpack dpkg-deb dpkg-shlibdeps pkg-config man; do
    command -v "$program" >/dev/null || { echo "SKIP unit.packaging: the program $program is not installed"; exit 77; }
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'echo "FAIL unit.packaging: line $LINENO: $BASH_COMMAND"' ERR
wrong() { echo "FAIL unit.packaging: $*"; exit 1; }

# ---- man pages and the unit ----
for page in "$source"/cmake/packaging/man/*; do
    LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>"$tmp/warnings" >/dev/null
    [ ! -s "$tmp/warnings" ] || wrong "$page: $(head -n 1 "$tmp/warnings")"
done
# told PROGRAM PAGE: each long option of --help has its place in the page.
told() {
    local option page
    page=$(sed 's/\\-/-/g' "$source/cmake/packaging/man/$2")
    for option in $("$build/bin/$1" --help | grep -oE -- '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u); do
        grep -qE -- "$option( |,|\"|\$)" <<<"$page" || wrong "$2 does not tell of $option"
    done
}
told tricklesd tricklesd.8
told trickles trickles.1
told trickles-load trickles-load.1
# The README's commands: the programs are built, and their options are options of theirs.
sed -e ':more' -e '/\\$/{N;s/\\\n//;bmore' -e '}' "$source/README.md" | grep -E '^    ' >"$tmp/commands"
[ "$(grep -c 'build/bin/tricklesd' "$tmp/commands")" -ge 3 ] || wrong "the README shows no commands"
for program in $(grep -oE 'build/bin/[a-z-]+' "$tmp/commands" | sort -u); do
    [ -x "$build/${program#build/}" ] || wrong "the README runs $program, which is not built"
done
for program in tricklesd trickles-load; do
    "$build/bin/$program" --help >"$tmp/help"
    for option in $(grep "build/bin/$program " "$tmp/commands" | sed 's/  #.*//' | grep -oE -- ' --?[a-zA-Z][a-z-]*' | sort -u); do
        grep -qE -- "(^|[ ,])$option([ =,]|\$)" "$tmp/help" || wrong "the README gives $program the option $option, which --help does not know"
    done
done
if command -v systemd-analyze >/dev/null; then
    sed "s#^ExecStart=tricklesd#ExecStart=$build/bin/tricklesd#" "$source/cmake/packaging/systemd/tricklesd.service" >"$tmp/tricklesd.service"
    systemd-analyze verify --man=no "$tmp/tricklesd.service" 2>"$tmp/verify" || wrong "the unit: $(<"$tmp/verify")"
    if grep -q 'tricklesd\.service' "$tmp/verify"; then wrong "the unit: $(<"$tmp/verify")"; fi
fi

# ---- packages ----
(cd "$tmp" && cpack --config "$build/CPackConfig.cmake" -B "$tmp/packages" >"$tmp/cpack.log" 2>&1) || wrong "cpack: $(tail -n 5 "$tmp/cpack.log")"
unpack() {
    local deb=("$tmp/packages/$1"_*.deb) file
    [ -e "${deb[0]}" ] || wrong "no package $1: $(ls "$tmp/packages")"
    dpkg-deb -c "${deb[0]}" | awk '{ print $6 }' >"$tmp/list"
    dpkg-deb -x "${deb[0]}" "$tmp/root"
    for file in "${@:2}"; do grep -qE "^\./usr/$file\$" "$tmp/list" || wrong "package $1 lacks $file"; done
}
unpack tricklesd sbin/tricklesd share/man/man8/tricklesd.8 lib/systemd/system/tricklesd.service
unpack trickles bin/trickles bin/trickles-load 'lib/.*libtrickles\.so' share/man/man1/trickles.1 share/man/man7/trickles.7 share/trickles/trickles.lua
unpack libminisocket0 'lib/.*libminisocket\.so\.0'
if grep -qE '\.h$|\.a$|\.so$' "$tmp/list"; then wrong "package libminisocket0 holds development files"; fi
unpack libminisocket-dev include/trickles/minisocket.h 'lib/.*libminisocket\.so' 'lib/.*libminisocket\.a' 'lib/.*pkgconfig/libminisocket\.pc'
unpack libtrickles-client0 'lib/.*libtrickles-client\.so\.0'
unpack libtrickles-client-dev include/trickles/client.h 'lib/.*libtrickles-client\.a'
dpkg-deb -f "$tmp"/packages/tricklesd_*.deb Depends | grep -q libsodium23 || wrong "package tricklesd does not depend on libsodium23"
dpkg-deb -f "$tmp"/packages/libminisocket-dev_*.deb Depends | grep -q 'libminisocket0 (= ' || wrong "package libminisocket-dev does not depend on its library"

# ---- an outside program, from the unpacked packages ----
pc=$(dirname "$(find "$tmp/root" -name libminisocket.pc)")
flags=$(PKG_CONFIG_PATH=$pc pkg-config --define-variable=prefix="$tmp/root/usr" --cflags --libs libminisocket)
cc -std=c11 -D_GNU_SOURCE "$source/examples/greeter.c" $flags -o "$tmp/greeter"
status=0
LD_LIBRARY_PATH=$(dirname "$pc") "$tmp/greeter" --listen nonsense --key-file "$tmp/none" 2>"$tmp/err" || status=$?
[ "$status" = 1 ] && grep -q "key file $tmp/none: No such file" "$tmp/err" || wrong "the program built against the packages: $(<"$tmp/err")"
echo "six packages, a program built from them, man pages and unit: fine"
