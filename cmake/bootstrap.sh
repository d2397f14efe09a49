#!/bin/bash
# Install the Debian packages that Trickles needs, only those that are missing.
#
#   cmake/bootstrap.sh [build|run|test ...]      (default: all three)
#
# Works without a network when everything is there. Exits 0 when it is, else 1 with one line saying what to do.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
policy=/usr/sbin/policy-rc.d
own_policy=

say()  { printf 'bootstrap: %s\n' "$*"; }
fail() { printf 'bootstrap: %s\n' "$*" >&2; exit 1; }
cleanup() { if [ -n "$own_policy" ]; then rm -f "$policy"; fi; }
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

wanted_packages() {
    local kind
    for kind in "$@"; do
        awk -v kind="$kind" '$1 == kind { print $2 }' "$here/packages.txt"
    done
}

# nginx and nginx-light give the same program, and cannot be installed together: either will do.
is_installed() {
    local names=("$1") name
    if [ "$1" = nginx-light ]; then names+=(nginx nginx-core nginx-full nginx-extras); fi
    for name in "${names[@]}"; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ]; then return 0; fi
    done
    return 1
}

main() {
    local kinds=("$@") package missing=()
    if [ ${#kinds[@]} -eq 0 ]; then kinds=(build run test); fi
    for package in "${kinds[@]}"; do
        case $package in
            build|run|test) ;;
            *) fail "unknown kind '$package': use build, run or test" ;;
        esac
    done
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        fail "this is not a Debian system: install what cmake/packages.txt lists, then run cmake by hand"
    fi

    for package in $(wanted_packages "${kinds[@]}"); do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        say "all packages for ${kinds[*]} are installed"
        return 0
    fi
    [ "$(id -u)" -eq 0 ] ||
        fail "missing packages; as root run: apt-get install ${missing[*]}"
    install_packages "${missing[@]}"
}

install_packages() {
    say "installing ${*}"
    # A web server for tests must not start as a service of this machine.
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy" && own_policy=yes
    fi
    local log; log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    if apt-get -q update > "$log" 2>&1 && apt-get -q -y install --no-install-recommends "$@" >> "$log" 2>&1 </dev/null; then
        rm -f "$log"
        say "done"
        return 0
    fi
    tail -n 15 "$log" >&2
    rm -f "$log"
    fail "apt-get failed (see above); check the network, then: apt-get install $*"
}

main "$@"
