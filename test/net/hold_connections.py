"""hold_connections.py HOST PORT COUNT PATH: opens COUNT connections, GETs PATH on each, prints "open", and holds
them until standard input ends."""
import resource
import socket
import sys

host, port, count, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
wanted = 4 * count + 64
try:
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), max(hard, wanted)))
except ValueError:                       # not ours to raise: as many as there are
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
held = []
for i in range(count):
    s = socket.create_connection((host, port), timeout=20)
    s.sendall(request)
    got = s.recv(65536)
    if not got.startswith(b"HTTP/1.1 200"):
        sys.exit(f"connection {i + 1}: {got[:60]!r}")
    held.append(s)
print("open", flush=True)
sys.stdin.read()
