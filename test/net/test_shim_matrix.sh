#!/bin/bash
# Real programs x (tricklesd, a TCP-only server): what they fetch is compared byte by byte with what they fetch without us.
#
#     test_shim_matrix.sh [all]         all: the slow ones, too, as far as they are installed (long_shim_matrix.sh)
. "$(dirname "$0")/lib.sh"
need curl wget python3 nginx
need_built "$BIN/tricklesd" "$BIN/trickles"
ALL=${1:-}
PYTHON=/usr/bin/python3
WWW=$TMP/www

topology_direct
mkdir "$WWW" "$TMP/work"
head -c 3000000 /dev/urandom >"$WWW/large"
for i in $(seq 20); do head -c $((i * 4000 + 1)) /dev/urandom >"$WWW/f$i"; done
echo '<html><body>' >"$WWW/index.html"
for i in $(seq 20); do echo "<a href=f$i>$i</a>" >>"$WWW/index.html"; done
chmod 755 "$TMP" "$WWW"
cat >"$TMP/nginx.conf" <<CONF
daemon off; pid $TMP/nginx.pid; error_log stderr; worker_processes 1;
events { }
http { access_log off; client_body_temp_path $TMP/body; client_max_body_size 100m;
    server { listen 8080; listen [::]:8080; root $WWW; location /kept/ { dav_methods PUT; create_full_put_path on; root $TMP/kept; } } }
CONF
mkdir "$TMP/kept"; chmod 777 "$TMP/kept"
"$BIN/tricklesd" --generate-key "$TMP/key" >/dev/null
start daemon "$SERVER" "$BIN/tricklesd" --root "$WWW" --key-file "$TMP/key" --listen '*:80'
start nginx "$SERVER" nginx -c "$TMP/nginx.conf"
wait_for_port "$SERVER" 80
wait_for_port "$SERVER" 8080

has() { command -v "$1" >/dev/null || { say "not installed: $1"; false; }; }
# run WHAT COMMAND...: under the preload, in a directory of its own; nothing of ours may appear on standard error.
run() {
    local what=$1 status=0; shift
    rm -rf "$TMP/work"; mkdir "$TMP/work"
    (cd "$TMP/work" && exec ip netns exec "$CLIENT" timeout -k 2 60 "$BIN/trickles" "$@") >"$TMP/out" 2>"$TMP/err" || status=$?
    [ "$status" = 0 ] || fail "$what at $AT: ended with $status: $(tail -n 5 "$TMP/err" "$TMP/out")"
    if grep -q '^trickles' "$TMP/err"; then fail "$what at $AT: $(grep '^trickles' "$TMP/err")"; fi
}
# same FILE [NAME]: the file in the working directory is that of the server.
same() { cmp "$TMP/work/$1" "$WWW/${2:-$1}" || fail "$WHAT at $AT: $1 differs"; }
all_same() { local i; for i in $(seq 20); do same "f$i"; done; }

curl_ways() {
    WHAT=curl
    run curl curl -sS -O "$URL/large"; same large
    run "curl, one after the other" curl -sS --remote-name-all "$URL/f[1-20]"; all_same
    run "curl -Z" curl -sS -Z --no-progress-meter --remote-name-all "$URL/f[1-20]"; all_same
    run "curl --limit-rate" curl -sS --limit-rate 4M -o large "$URL/large"; same large
    run "curl -r" sh -c "curl -sS -r 0-999999 -o large $URL/large && curl -sS -C - -o large $URL/large"; same large
    run "curl, two names" curl -sS --resolve "x.test:$PORT:[$SERVER6],$SERVER4" -O "http://x.test:$PORT/large"; same large
    run "curl, a dead name first" curl -sS --resolve "x.test:$PORT:[fd00:77::99],$SERVER4" -O "http://x.test:$PORT/large"; same large
    if [ "$PORT" = 8080 ]; then
        run "curl -T" curl -sS -T "$WWW/large" "$URL/kept/large"
        cmp "$WWW/large" "$TMP/kept/kept/large" || fail "curl -T: differs"
    fi
}
others() {
    WHAT=wget
    run "wget -c" sh -c "head -c 1000000 $WWW/large >large; wget -q -c $URL/large"; same large
    run "wget -r" wget -q -r -nd -l 1 "$URL/index.html"; all_same
    if has aria2c; then WHAT=aria2c; run aria2c aria2c -q -x 4 -s 4 -k 1M "$URL/large"; same large; fi
    if has ab; then
        run ab ab -q -n 300 -c 20 "$URL/f1"
        run "ab -k" ab -q -k -n 1000 -c 20 "$URL/f1"
        expect "ab -k at $AT: failures" "$(grep -E '^(Failed|Non-2xx)' "$TMP/out" | awk '{ print $3 }')" 0
    fi
    WHAT=threads
    run "threads and processes" "$PYTHON" "$NET_DIR/shim/many_get.py" "$URL" "$WWW"
}
slow_ones() {
    if has axel; then WHAT=axel; run axel axel -q -n 4 "$URL/large"; same large; fi
    if has lftp; then WHAT=lftp; run lftp lftp -c "pget -n 4 $URL/large"; same large; fi
    if has busybox; then WHAT=busybox; run busybox busybox wget -q "$URL/large"; same large; fi
    if has siege; then run siege siege -q -c 10 -r 10 "$URL/f1"; fi
    if has wrk; then run wrk wrk -t 2 -c 20 -d 2 "$URL/f1"; if grep -q 'Socket errors\|Non-2xx' "$TMP/out"; then fail "wrk at $AT: $(cat "$TMP/out")"; fi; fi
    if has git; then
        WHAT=git
        [ -d "$WWW/repo.git" ] || make_repository
        run git git clone -q "$URL/repo.git" clone
        cmp "$TMP/work/clone/large" "$WWW/large" || fail "git at $AT: differs"
    fi
    if has ruby; then WHAT=ruby; run ruby ruby -rnet/http -e 'IO.binwrite("large", Net::HTTP.get(URI(ARGV[0])))' "$URL/large"; same large; fi
    if has perl; then WHAT=perl; run perl perl -MHTTP::Tiny -e 'HTTP::Tiny->new->mirror($ARGV[0], "large")->{success} or die' "$URL/large"; same large; fi
    if has node; then WHAT=node; run node node "$NET_DIR/shim/get.mjs" "$URL" "$PWD/f"; all_same; fi
    if has java; then WHAT=java; run java java "$NET_DIR/shim/Get.java" "$URL"; all_same; fi
    if has chromium; then
        cp "$NET_DIR/shim/page.html" "$WWW/"
        run chromium env HOME="$TMP/work" chromium --headless=new --no-sandbox --disable-gpu --virtual-time-budget=20000 --dump-dom "$URL/page.html"
        grep -q 'fetched 60 of 60' "$TMP/out" || fail "chromium at $AT: $(cat "$TMP/out")"
    fi
}
make_repository() {
    local repository=$TMP/repository
    git init -q "$repository"
    cp "$WWW/large" "$repository/"
    git -C "$repository" add large
    git -C "$repository" -c user.name=a -c user.email=a@example.org commit -q -m first
    git clone -q --bare "$repository" "$WWW/repo.git"
    git -C "$WWW/repo.git" update-server-info
}

for AT in "$SERVER4:80" "$SERVER4:8080" "[$SERVER6]:80" "[$SERVER6]:8080"; do
    URL=http://$AT PORT=${AT##*:}
    curl_ways
    others
    if [ "$ALL" = all ]; then slow_ones; fi
    say "$AT: the same bytes"
done

# Proxies whose upstream is ours: event loops, worker processes, connections that are kept.
cat >"$TMP/proxy.conf" <<CONF
daemon off; pid $TMP/proxy.pid; error_log stderr; worker_processes 2; user root;
events { }
http { access_log off; proxy_temp_path $TMP/proxied; upstream t { server $SERVER4:80; keepalive 8; } upstream k { server $SERVER4:8080; keepalive 8; }
    server { listen 9080; location / { proxy_pass http://t; proxy_http_version 1.1; proxy_set_header Connection ""; } }
    server { listen 9081; location / { proxy_pass http://k; proxy_http_version 1.1; proxy_set_header Connection ""; } } }
CONF
cat >"$TMP/haproxy.cfg" <<CONF
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen t
  bind :9180
  server s $SERVER4:80 check inter 300
listen k
  bind :9181
  mode tcp
  server s $SERVER4:8080 check inter 300
CONF
through() {
    local port
    for port; do
        wait_for_port "$CLIENT" "$port"
        rm -rf "$TMP/work"; mkdir "$TMP/work"
        (cd "$TMP/work" && in_ns "$CLIENT" curl -sS -m 30 -Z --no-progress-meter --remote-name-all "http://127.0.0.1:$port/f[1-20]") || fail "through port $port: $?"
        WHAT="through port $port"; AT=$SERVER4; all_same
    done
}
start proxy "$CLIENT" "$BIN/trickles" nginx -c "$TMP/proxy.conf"
through 9080 9081
stop proxy
say "nginx as a proxy: the same bytes"
if has haproxy; then
    start haproxy "$CLIENT" "$BIN/trickles" haproxy -f "$TMP/haproxy.cfg"
    through 9180 9181
    stop haproxy
    say "haproxy: the same bytes"
fi
