#!/bin/bash
# The unit as it is shipped, under a real systemd: process 1 of namespaces of its own, on an overlay of this machine's root. A user made
# for the time being reads the key, serves with the rights that the unit leaves it, lives on over kill -9, restart and upgrade.
. "$(dirname "$0")/daemon.sh"

need_net
need unshare nsenter systemctl
init=/usr/lib/systemd/systemd
[ -x "$init" ] || skip "systemd is not installed"
daemon_setup

# The root must be shared, as a credential is mounted in one namespace and used in another; nothing of it reaches the host, where all is
# private to the outermost unshare. Both hierarchies of control groups are needed where the host's are of version 1.
cat >"$TMP/boot" <<'BOOT'
set -e
mount -t tmpfs tmpfs "$TMP/layers"
mkdir "$TMP/layers/upper" "$TMP/layers/work" "$TMP/layers/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$TMP/layers/upper,workdir=$TMP/layers/work" "$TMP/layers/root"
cp "$BIN/tricklesd" "$TMP/layers/root/usr/bin/tricklesd"
cd "$TMP/layers/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount --rbind /dev dev
mount -t tmpfs tmpfs sys/fs/cgroup
mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd || true
mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
rm -rf etc/systemd/system etc/fstab etc/default/tricklesd
mkdir -p srv/www etc/trickles etc/systemd/system/multi-user.target.wants
cp "$WWW/hello" srv/www/hello
cp "$KEY" etc/trickles/key
chmod 600 etc/trickles/key
cp "$UNIT" etc/systemd/system/tricklesd.service
ln -s ../tricklesd.service etc/systemd/system/multi-user.target.wants/tricklesd.service
: >etc/machine-id
ip link set lo up
mount --make-rshared .
exec env -i PATH="$PATH" container=trickles chroot . "$INIT" --log-target=null --show-status=no --unit=multi-user.target
BOOT

make_file hello 300000
mkdir "$TMP/layers"
export TMP BIN WWW KEY UNIT="$ROOT/cmake/packaging/systemd/tricklesd.service" INIT="$init"
start boot - unshare --mount --net --pid --uts --ipc --cgroup --fork --kill-child --propagation private sh "$TMP/boot"
first() { pgrep -P "${PIDS[boot]}" -f "^$init"; }
wait_for 10 "systemd to begin ($(tail -n 1 "$TMP/boot.log"))" first
PID1=$(first)
inside() { timeout 20 nsenter -t "$PID1" -m -n -p -u -i -r -w "$@"; }
active() { [ "$(inside systemctl is-active tricklesd 2>/dev/null)" = active ]; }
main_pid() { inside systemctl show -P MainPID tricklesd; }
# The client is not of that root: it only joins the network.
get() {
    nsenter -t "$PID1" -n env TRICKLES=require "$BIN/trickles" curl -sS --fail --max-time 10 -o "$TMP/got" http://127.0.0.1/hello || return 1
    cmp "$WWW/hello" "$TMP/got"
}
gets() { get 2>/dev/null; }
other_pid() { local now; now=$(main_pid); [ "$now" != "$1" ] && [ "$now" != 0 ]; }

wait_for 30 "the unit to be active" active
wait_for 5 "an answer" gets
user=$(inside ps -o user= -p "$(main_pid)")
[ "$user" != root ] || fail "the daemon runs as root"
expect "no new privileges, seccomp" "$(inside awk '/^NoNewPrivs|^Seccomp:/ { printf "%s ", $2 }' "/proc/$(main_pid)/status")" "1 2 "

before=$(main_pid)
inside systemctl kill -s KILL tricklesd
wait_for 10 "another life after kill -9" other_pid "$before"
wait_for 10 "an answer after kill -9" gets

before=$(main_pid)
inside systemctl restart tricklesd
wait_for 10 "an answer after a restart" gets
other_pid "$before" || fail "a restart that restarted nothing"

before=$(main_pid)
inside systemctl kill -s USR2 --kill-who=main tricklesd
wait_for 10 "systemd to follow the upgrade" other_pid "$before"
active || fail "the unit is not active after an upgrade"
wait_for 5 "an answer after an upgrade" gets
inside systemctl stop tricklesd
[ "$(inside systemctl is-failed tricklesd)" != failed ] || fail "the unit failed to stop"
stop boot KILL 2>/dev/null
say "the unit serves under systemd as '$user', over kill -9, restart and upgrade"
