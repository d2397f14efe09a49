#!/bin/bash
# What users deploy: client and server as two real containers on a bridge network, from the repository's Containerfile.
#
# No image registry is asked: the base image is made here, of this machine's own files. podman works in mount, network
# and process namespaces that hang on one process, the holder, and keeps its files in $TMP: when the holder ends,
# all of it ends, and nothing of the machine's own containers is touched.
. "$(dirname "$0")/daemon.sh"

net=trickles
need_net
need podman crun nsenter unshare iptables
[ -x /usr/lib/podman/netavark ] || skip "podman's network program netavark is not installed"
[ -x /usr/lib/podman/aardvark-dns ] || skip "podman's name server aardvark-dns is not installed"
daemon_setup

cgroup=trickles-test-$$
containers_end() {
    if [ -n "${PIDS[holder]:-}" ]; then stop holder KILL 2>/dev/null; fi
    # A group can be removed when its last process is gone, which the kernel takes its time for.
    local i
    for ((i = 0; i < 50; i++)); do
        find /sys/fs/cgroup/ -depth -type d -path "*/$cgroup*" -exec rmdir {} \; 2>/dev/null
        if [ -z "$(find /sys/fs/cgroup/ -maxdepth 2 -name "$cgroup" 2>/dev/null)" ]; then return; fi
        sleep 0.1
    done
}
trap '{ status=$?; trap - ERR; set +e; containers_end; (exit $status); cleanup; }' EXIT

cat >"$TMP/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_config_dir = "$TMP/networks"
CONF

# The holder: first process of its namespaces, with a /run of its own, where podman keeps what must not mix.
start holder - unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private sh -c '
    umount /sys/fs/cgroup/unified 2>/dev/null
    mount -t tmpfs tmpfs /run && ip link set lo up && echo ready
    sleep 600 & wait'
wait_for 5 "the holder of podman's namespaces" grep -q ready "$TMP/holder.log"
holder=$(pgrep -P "${PIDS[holder]}")
podman_in() {
    nsenter -t "$holder" -m -n -p -r -w env CONTAINERS_CONF="$TMP/containers.conf" \
        podman --root "$TMP/storage" --runroot "$TMP/run" --tmpdir "$TMP/libpod" "$@"
}

# base_image DIR: a root directory with a shell, curl and every library that our programs load.
base_image() {
    local root=$1 file
    mkdir -p "$root"/{usr/bin,usr/lib,etc,tmp,run,proc,sys,dev,root,srv/www}
    ln -s usr/bin "$root/bin"; ln -s usr/bin "$root/sbin"; ln -s usr/lib "$root/lib"; ln -s usr/lib "$root/lib64"
    for file in dash curl cat sleep sha256sum; do
        copy_with_libraries "$root" "$(command -v "$file")"
    done
    ln -s dash "$root/usr/bin/sh"
    copy_with_libraries "$root" "$BIN/tricklesd" libraries-only
    copy_with_libraries "$root" "$BIN/trickles" libraries-only
    copy_with_libraries "$root" "$LIB/libtrickles.so" libraries-only
    # Loaded by name when the first interface is asked for, so ldd does not tell.
    file=$(ldconfig -p | awk '/libmnl\.so\.0 / { found = $NF } END { print found }')
    mkdir -p "$root$(dirname "$file")"
    cp -nL "$file" "$root$file"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
}
copy_with_libraries() {
    local root=$1 program=$2 library
    [ -n "${3:-}" ] || cp -L "$program" "$root/usr/bin/"
    while read -r library; do
        if [ "${library#"$BUILD"}" != "$library" ]; then continue; fi
        mkdir -p "$root$(dirname "$library")"
        cp -nL "$library" "$root$library"
    done < <(ldd "$program" 2>/dev/null | grep -o '/[^ ]*')
}

base_image "$TMP/base"
printf 'FROM scratch\nCOPY . /\n' >"$TMP/Base"
# The one step that may fail for a reason of the machine: can podman build and run here at all?
podman_works() {
    podman_in build --pull=never -q -t base -f "$TMP/Base" "$TMP/base" &&
        podman_in run --rm --pull=never --cgroup-parent "$cgroup" base sh -c true
}
podman_works >"$TMP/podman.log" 2>&1 || skip "podman cannot run containers here: $(tail -n 1 "$TMP/podman.log")"
podman_in network create "$net" >>"$TMP/podman.log" 2>&1 || skip "podman cannot make a network here: $(tail -n 1 "$TMP/podman.log")"

podman_in build --pull=never -q --isolation chroot --build-arg BASE=localhost/base -t trickles \
    -f "$ROOT/test/container/Containerfile" "$BUILD" >"$TMP/build.log" 2>&1 || fail "the Containerfile does not build"

make_file hello 3000000
mkdir -p "$TMP/etc"
cp "$KEY" "$TMP/etc/key"
podman_in run -d --pull=never --name web --network "$net" --cgroup-parent "$cgroup" --cap-add NET_RAW,NET_ADMIN \
    -v "$WWW:/srv/www:ro" -v "$TMP/etc:/etc/trickles:ro" trickles >"$TMP/run.log" 2>&1 || fail "the server's container does not start"
# The name is resolved by podman's own name server.
podman_in run --rm --pull=never --name client --network "$net" --cgroup-parent "$cgroup" --cap-add NET_RAW,NET_ADMIN \
    -e TRICKLES=require trickles trickles curl -sS --fail --max-time 30 http://web/hello \
    >"$TMP/got" 2>"$TMP/client.log" </dev/null &
status=0
wait $! || status=$?
podman_in logs web >"$TMP/web.log" 2>&1
expect "exit code of curl in the client's container" "$status" 0
cmp "$WWW/hello" "$TMP/got" || fail "wrong bytes"
say "3 MB from container to container by name, byte-exact"
