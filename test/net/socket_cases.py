"""socket_cases.py CASE HOST PORT [PATH FILE]: one awkward way to use a socket. FILE holds what PATH should be.

  halfclose  sends its request, closes its sending side, and reads the answer to its end
  stall      stops reading for 10 s in the middle of the answer
  pipeline   sends three requests in one write
  drip       sends its request byte by byte
  expect     asks for 100 Continue before it sends a body with its GET
  greeting   says nothing before the server has spoken; prints the greeting
"""
import socket
import sys
import time

case, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
path, wanted = (sys.argv[4], open(sys.argv[5], "rb").read()) if len(sys.argv) > 4 else ("/", b"")
s = socket.create_connection((host, port), timeout=30)
pending = b""


def request(*headers, close=False):
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *headers] + (["Connection: close"] if close else [])
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def more():
    global pending
    got = s.recv(65536)
    if not got:
        sys.exit(f"{case}: the stream ended early, {len(pending)} bytes pending")
    pending += got


def head():
    """The status of the next answer and the length of its body."""
    global pending
    while b"\r\n\r\n" not in pending:
        more()
    lines, pending = pending.split(b"\r\n\r\n", 1)
    status, *fields = lines.decode().split("\r\n")
    length = [int(f.split(":")[1]) for f in fields if f.lower().startswith("content-length:")]
    return int(status.split()[1]), length[0] if length else 0


def body(length):
    global pending
    while len(pending) < length:
        more()
    got, pending = pending[:length], pending[length:]
    return got


def check(status, got):
    if status != 200 or got != wanted:
        sys.exit(f"{case}: status {status}, {len(got)} bytes, wanted {len(wanted)}")


if case == "halfclose":
    s.sendall(request())
    s.shutdown(socket.SHUT_WR)
    status, length = head()
    check(status, body(length))
    if pending or s.recv(1):
        sys.exit("halfclose: bytes after the end of the answer")
elif case == "stall":
    s.sendall(request())
    status, length = head()
    body_start = body(min(length, 200000))
    time.sleep(10)
    check(status, body_start + body(length - len(body_start)))
elif case == "pipeline":
    s.sendall(request() * 3)
    for _ in range(3):
        status, length = head()
        check(status, body(length))
elif case == "drip":
    for byte in request():
        s.sendall(bytes([byte]))
        time.sleep(0.002)
    status, length = head()
    check(status, body(length))
elif case == "expect":
    s.sendall(request("Expect: 100-continue", "Content-Length: 5"))
    status, _ = head()
    if status != 100:
        sys.exit(f"expect: status {status}, wanted 100")
    s.sendall(b"12345")
    status, length = head()
    check(status, body(length))
elif case == "greeting":
    while not pending.endswith(b"\n"):
        more()
    print(pending.decode(), end="")
    s.sendall(b"hello\n")
    pending = b""
    while not pending.endswith(b"\n"):
        more()
    print(pending.decode(), end="")
else:
    sys.exit(f"unknown case {case}")
