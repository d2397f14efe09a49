#!/bin/bash
# beside_tcp.sh - the same files over Trickles and over kernel TCP, in turn, on the same path. Source it after daemon.sh.
#
# Kernel TCP is nginx with sendfile and Reno, as our congestion control is Reno's. Port $TCP_PORT.
TCP_PORT=8080

beside_tcp_setup() {
    need nginx
    in_ns "$SERVER" sysctl -qw net.ipv4.tcp_congestion_control=reno || skip "this kernel has no Reno"
    cat >"$TMP/nginx.conf" <<CONF
user root;
worker_processes 1; worker_rlimit_nofile 50000;
pid $TMP/nginx.pid;
error_log stderr warn;
events { worker_connections 40000; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path $TMP; proxy_temp_path $TMP; fastcgi_temp_path $TMP; uwsgi_temp_path $TMP; scgi_temp_path $TMP;
    server { listen $TCP_PORT; root $WWW; }
}
CONF
}
# beside_tcp_start: nginx and tricklesd, both serving $WWW.
beside_tcp_start() {
    start nginx "$SERVER" nginx -c "$TMP/nginx.conf" -g 'daemon off;'
    wait_for_port "$SERVER" "$TCP_PORT"
    daemon_start "$SERVER"
}
# try_timed trickles|tcp FILE LIMIT_S: one download by curl; must end in time and be the file. Sets TOOK_MS, by curl's own
# clock from before the connect to the last byte. Else it returns 1 with the reason in $WHY.
try_timed() {
    local stack=$1 file=$2 limit_s=$3 status=0 seconds
    local curl=(curl -sS --fail --max-time "$limit_s" -o "$TMP/got" -w '%{time_total}')
    case $stack in
        trickles) seconds=$(trickles "${curl[@]}" "$URL4/$file") || status=$? ;;
        tcp)      seconds=$(in_ns "$CLIENT" "${curl[@]}" "http://$SERVER4:$TCP_PORT/$file") || status=$? ;;
    esac
    TOOK_MS=$(awk -v s="$seconds" 'BEGIN { printf "%d", s * 1000 + 1 }')
    if [ "$status" -ne 0 ]; then WHY="curl ended with $status after $seconds s"; return 1; fi
    if ! cmp "$WWW/$file" "$TMP/got"; then WHY="wrong bytes"; return 1; fi
}
# timed: the same, and the test fails if the download does.
timed() { try_timed "$@" || fail "$1 $2: $WHY"; }
# side_by_side REPEATS FILE LIMIT_S WORDS [FLOOR]: downloads in turn, and a row with the ratio of rates. Sets RATIO.
# A few random losses decide a short download, for either stack: below FLOOR it goes on, to three times as many.
side_by_side() {
    local repeats=$1 file=$2 limit_s=$3 floor=${5:-0} ours=0 theirs=0 i
    for ((i = 1; i <= 3 * repeats; i++)); do
        timed trickles "$file" "$limit_s"; ours=$((ours + TOOK_MS))
        timed tcp "$file" "$limit_s"; theirs=$((theirs + TOOK_MS))
        RATIO=$(awk -v o="$ours" -v t="$theirs" 'BEGIN { printf "%.2f", t / o }')
        if [ "$i" -ge "$repeats" ] && awk -v r="$RATIO" -v f="$floor" 'BEGIN { exit !(r >= f) }'; then break; fi
    done
    if [ "$i" -gt $((3 * repeats)) ]; then i=$((3 * repeats)); fi
    printf '%-34s %9d bytes  trickles %7d ms  tcp %7d ms  ratio %5s of %d\n' "$4" "$(stat -c %s "$WWW/$file")" \
        $((ours / i)) $((theirs / i)) "$RATIO" "$i"
}
