"""http_keepalive.py HOST PATH COUNT FILE [IDLE_SECONDS]: COUNT GETs on one connection, each compared with FILE.

With IDLE_SECONDS the connection stays silent for that long before the last one. Prints the local port."""
import http.client
import sys
import time

host, path, count, reference = sys.argv[1], sys.argv[2], int(sys.argv[3]), open(sys.argv[4], "rb").read()
idle_s = float(sys.argv[5]) if len(sys.argv) > 5 else 0
connection = http.client.HTTPConnection(host, timeout=60)
connection.connect()
port = connection.sock.getsockname()[1]
for i in range(count):
    if idle_s and i == count - 1:
        time.sleep(idle_s)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200 or body != reference:
        sys.exit(f"request {i + 1}: status {answer.status}, {len(body)} bytes, wanted {len(reference)}")
    if connection.sock is None or connection.sock.getsockname()[1] != port:
        sys.exit(f"request {i + 1}: the connection was not kept")
print(port)
