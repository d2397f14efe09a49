#!/bin/bash
# What is preloaded into other people's programs stays light: it needs nothing but libc, shows nothing but the
# intercepted calls, and does nothing before the first eligible connect().
. "$(dirname "$0")/lib.sh"
need ldd nm
need_built "$LIB/libtrickles.so" "$BIN/trickles"

needs=$(ldd "$LIB/libtrickles.so" | sed -E 's/^\s*([^ ]+).*/\1/' | grep -vE '^(linux-vdso|linux-gate|libc\.so|/lib.*/ld-linux|ld-linux)' || true)
expect "libraries besides libc" "$needs" ""

wanted='_Exit __recv_chk __recvfrom_chk _exit close close_range closefrom connect dup dup2 dup3 epoll_ctl execl execle execlp execv execve execveat execvp execvpe fcntl fcntl64 fexecve getpeername getsockname getsockopt ioctl quick_exit recv recvfrom recvmmsg recvmsg send sendmmsg sendmsg sendto setsockopt shutdown syscall'
expect "exported names" "$(nm -D --defined-only "$LIB/libtrickles.so" | awk '{ print $3 }' | LC_ALL=C sort | tr '\n' ' ')" \
    "$(tr ' ' '\n' <<<"$wanted" | LC_ALL=C sort | tr '\n' ' ')"

# A program that never connects has one thread, its own descriptors, and nothing on standard error.
look='ls /proc/self/task | wc -l; ls /proc/self/fd | wc -l'
plain=$(sh -c "$look")
expect "threads and descriptors" "$(LD_PRELOAD=$LIB/libtrickles.so sh -c "$look" 2>&1)" "$plain"
expect "a quiet ls" "$(LD_PRELOAD=$LIB/libtrickles.so ls / 2>&1)" "$(ls /)"

# The environment.
preloaded() { LD_PRELOAD=$LIB/libtrickles.so "$@"; }
expect "TRICKLES=nonsense" "$(TRICKLES=nonsense preloaded /bin/true 2>&1 | sed 's/\[[0-9]*\]//')" \
    "trickles: TRICKLES=nonsense: not off, try or require; taken as try"
expect "TRICKLES_LOG=loud" "$(TRICKLES_LOG=loud preloaded /bin/true 2>&1 | sed 's/\[[0-9]*\]//')" \
    "trickles: TRICKLES_LOG=loud: the level is one of none, error, warn, info, debug"
expect "TRICKLES_LINGER_MS=x" "$(TRICKLES_LINGER_MS=x preloaded /bin/true 2>&1 | sed 's/\[[0-9]*\]//')" \
    "trickles: TRICKLES_LINGER_MS=x: not a number up to 60000"
expect "off says nothing of it" "$(TRICKLES=off TRICKLES_LOG=loud preloaded /bin/true 2>&1)" ""
say "light and quiet"
