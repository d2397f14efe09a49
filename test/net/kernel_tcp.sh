#!/bin/bash
# kernel_tcp.sh - the same files from nginx over the kernel's TCP, to compare with. Source it after daemon.sh.
#
# Congestion control is Reno at the sending end, as ours is; nginx uses sendfile. Same namespaces, same path.
TCP_PORT=8080

kernel_tcp_setup() {
    need nginx
    in_ns "$SERVER" sysctl -qw net.ipv4.tcp_congestion_control=reno || skip "this kernel has no Reno"
    cat >"$TMP/nginx.conf" <<CONF
user root;
worker_processes 1;
pid $TMP/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000;
    client_body_temp_path $TMP; proxy_temp_path $TMP; fastcgi_temp_path $TMP; uwsgi_temp_path $TMP; scgi_temp_path $TMP;
    server { listen $TCP_PORT; root $WWW; }
}
CONF
}
kernel_tcp_start() {
    start nginx "$SERVER" nginx -c "$TMP/nginx.conf" -g 'daemon off;'
    wait_for_port "$SERVER" "$TCP_PORT"
}
# kernel_tcp_get NAME FILE [SECONDS]: by curl without the preload.
kernel_tcp_get() { in_ns "$CLIENT" curl -sS --fail --max-time "${3:-60}" -o "$2" "http://$SERVER4:$TCP_PORT/$1"; }
