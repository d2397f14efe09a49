"""http_cases.py HOST PORT ROOT: what tricklesd says to each kind of request, over one raw socket per case.

ROOT is the served directory; it holds file.txt (1000 bytes), dir/index.html, bare/ (without an index),
"odd name%.txt" and links: inside -> file.txt, outside -> ../key."""
import os
import socket
import sys
import time

host, port, root = sys.argv[1], int(sys.argv[2]), sys.argv[3]
content = open(f"{root}/file.txt", "rb").read()
failures = []


class Connection:
    def __init__(self):
        self.socket = socket.create_connection((host, port), timeout=20)
        self.pending = b""

    def send(self, *lines, body=b""):
        text = "\r\n".join(lines) + "\r\n\r\n"
        self.socket.sendall(text.encode("latin-1") + body)

    def more(self):
        got = self.socket.recv(65536)
        self.pending += got
        return len(got) > 0

    def answer(self, head=False):
        """(status, fields, body) of the next answer."""
        while b"\r\n\r\n" not in self.pending:
            if not self.more():
                raise EOFError(f"stream ended after {self.pending!r}")
        text, self.pending = self.pending.split(b"\r\n\r\n", 1)
        line, *rest = text.decode("latin-1").split("\r\n")
        fields = {k.lower(): v for k, v in (f.split(": ", 1) for f in rest)}
        status = int(line.split()[1])
        length = 0 if head or status in (100, 304) else int(fields["content-length"])
        while len(self.pending) < length:
            if not self.more():
                raise EOFError(f"body ended after {len(self.pending)} of {length}")
        body, self.pending = self.pending[:length], self.pending[length:]
        return status, fields, body

    def ended(self):
        """The server ended the stream, and said nothing more."""
        while self.more():
            pass
        return self.pending == b""


def expect(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: got {got!r}, wanted {wanted!r}")


def get(path="/file.txt", *fields, method="GET", version="HTTP/1.1", body=b"", host_field=True):
    c = Connection()
    c.send(f"{method} {path} {version}", *(["Host: x"] if host_field else []), *fields, body=body)
    return c, *c.answer(head=method == "HEAD")


def statuses():
    cases = [
        ("/file.txt", 200), ("/inside", 200), ("/dir/", 200), ("/odd%20name%25.txt", 200), ("/file.txt?q=1", 200),
        ("/./file.txt", 200), ("/dir/../file.txt", 200), ("//file.txt", 200),
        ("/dir", 301), ("/bare", 301), ("/bare/", 403), ("/outside", 403), ("/../key", 403), ("/%2e%2e/key", 403),
        ("/dir/../../key", 403), ("/..%2fkey", 403), ("/nothing", 404), ("/file.txt/", 404), ("/file.txt/x", 404),
        ("/%", 400), ("/%zz", 400), ("/%00", 400), ("/a%00b", 400), ("/" + "x" * 300, 404), ("/" + "x" * 400, 414),
        ("/" + "%78" * 375, 404), ("/" + "%78" * 376, 414), ("/" + "d/" * 150, 404), ("http://x/file.txt", 200), ("http://x", 403),
    ]
    for path, wanted in cases:
        c, status, fields, body = get(path)
        expect(f"GET {path[:60]}", status, wanted)
        expect(f"GET {path[:60]}: connection kept", "close" in fields.get("connection", ""), False)
        if wanted >= 400 and not body:
            failures.append(f"GET {path[:60]}: {status} without an explanation")
        # The connection goes on.
        c.send("GET /file.txt HTTP/1.1", "Host: x")
        expect(f"after GET {path[:60]}", c.answer()[0::2], (200, content))


def methods():
    c, status, fields, body = get(method="HEAD")
    expect("HEAD", (status, fields["content-length"], body), (200, "1000", b""))
    c.send("GET /file.txt HTTP/1.1", "Host: x")
    expect("GET after HEAD", c.answer()[2], content)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
        c, status, fields, body = get(method=method)
        expect(method, (status, fields["allow"]), (405, "GET, HEAD"))
    c, status, fields, body = get("x:1", method="CONNECT")
    expect("CONNECT", status, 405)
    for line in ("FOO / HTTP/1.1", "GETX / HTTP/1.1", "PRI * HTTP/2.0"):
        c = Connection()
        c.send(line, "Host: x")
        expect(line, (c.answer()[0], c.ended()), (501, True))
    for line in ("\x16\x03\x01\x02\x00", "get / HTTP/1.1x\x01", "GET / HTTP/1.1\r\nContent-Length: x"):
        c = Connection()
        c.send(line)
        status = c.answer()[0]
        expect(line, (status in (400, 501), c.ended()), (True, True))


def versions():
    c, status, fields, body = get(host_field=False)
    expect("HTTP/1.1 without Host", status, 400)
    c, status, fields, body = get("/file.txt", "Host: y")
    expect("two Host fields", status, 400)
    c, status, fields, body = get(version="HTTP/1.0", host_field=False)
    expect("HTTP/1.0", (status, body, fields["connection"], c.ended()), (200, content, "close", True))
    c, status, fields, body = get("/file.txt", "Connection: keep-alive", version="HTTP/1.0", host_field=False)
    expect("HTTP/1.0 keep-alive", (status, fields["connection"]), (200, "keep-alive"))
    c.send("GET /file.txt HTTP/1.0")
    expect("HTTP/1.0 after keep-alive", (c.answer()[2], c.ended()), (content, True))
    c, status, fields, body = get("/file.txt", "Connection: close")
    expect("Connection: close", (status, body, fields["connection"], c.ended()), (200, content, "close", True))
    c, status, fields, body = get(version="HTTP/3.0")
    expect("HTTP/3.0", status, 505)


def ranges_and_conditions():
    c, status, fields, body = get()
    tag, modified = fields["etag"], fields["last-modified"]
    cases = [
        (["Range: bytes=10-19"], 206, content[10:20]), (["Range: bytes=990-"], 206, content[990:]), (["Range: bytes=-5"], 206, content[-5:]),
        (["Range: bytes=0-0"], 206, content[:1]), (["Range: bytes=1000-"], 416, None), (["Range: bytes=0-1,5-6"], 200, content),
        (["Range: bytes=10-19", f"If-Range: {tag}"], 206, content[10:20]), (["Range: bytes=10-19", 'If-Range: "0"'], 200, content),
        (["Range: bytes=10-19", f"If-Range: {modified}"], 206, content[10:20]),
        ([f"If-None-Match: {tag}"], 304, b""), (['If-None-Match: "0"'], 200, content), (["If-None-Match: *"], 304, b""),
        ([f'If-None-Match: "0", {tag}, "1"'], 304, b""), ([f"If-Modified-Since: {modified}"], 304, b""),
        (["If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT"], 200, content),
    ]
    for extra, wanted, wanted_body in cases:
        c, status, fields, body = get("/file.txt", *extra)
        expect(str(extra), status, wanted)
        if wanted_body is not None:
            expect(f"{extra}: body", body, wanted_body)


def bodies():
    for size in (0, 1, 1000, 1000000):
        c = Connection()
        c.send("POST /file.txt HTTP/1.1", "Host: x", f"Content-Length: {size}", body=b"p" * size)
        expect(f"POST of {size} bytes", c.answer()[0], 405)
        c.send("GET /file.txt HTTP/1.1", "Host: x")
        expect(f"GET after a POST of {size} bytes", c.answer()[2], content)
        c.send("GET /file.txt HTTP/1.1", "Host: x", f"Content-Length: {size}", body=b"GET /nothing HTTP/1.1\r\n\r\n"[:size].ljust(size, b"g"))
        expect(f"GET with a body of {size} bytes", c.answer()[2], content)
        c.send("GET /file.txt HTTP/1.1", "Host: x")
        expect(f"GET after a GET with a body of {size} bytes", c.answer()[2], content)
    c = Connection()
    c.send("POST /file.txt HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")
    status, fields, body = c.answer()
    expect("chunked POST", (status, fields["connection"], c.ended()), (405, "close", True))
    c = Connection()
    c.send("POST /file.txt HTTP/1.1", "Host: x", "Content-Length: 5", "Expect: 100-continue")
    expect("POST that waits", (c.answer()[0], c.ended()), (405, True))
    c = Connection()
    c.send("GET /file.txt HTTP/1.1", "Host: x", "Content-Length: 5", "Expect: 100-continue")
    expect("GET that waits", c.answer()[0], 100)
    c.socket.sendall(b"12345GET /dir/ HTTP/1.1\r\nHost: x\r\n\r\n")
    expect("GET that waited", c.answer()[2], content)
    expect("the next one", c.answer()[0], 200)


def many_at_once():
    c = Connection()
    paths = ["/file.txt", "/nothing", "/dir/"] * 10
    c.socket.sendall(b"".join(f"GET {p} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for p in paths))
    expect("30 requests in one write", [c.answer()[0] for _ in paths], [200, 404, 200] * 10)
    c.socket.sendall(b"\r\n\r\nGET /file.txt HTTP/1.1\r\nHost: x\r\n\r\n")
    expect("empty lines before a request", c.answer()[2], content)


def heads():
    for size, wanted in ((6000, 200), (30000, 200), (32768, 431), (65536, 431)):
        c, status, fields, body = get("/file.txt", "Cookie: " + "c" * size)
        expect(f"a cookie of {size} bytes", status, wanted)
    request = b"GET /file.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=10-19\r\n\r\n"
    for cut in range(1, len(request), 5):
        c = Connection()
        c.socket.sendall(request[:cut])
        time.sleep(0.01)
        c.socket.sendall(request[cut:])
        expect(f"a request cut at {cut}", c.answer()[0::2], (206, content[10:20]))


def ends():
    for text, wanted in ((b"", None), (b"\r\n", None), (b"GET /file.txt HT", 400), (b"GET /file.txt HTTP/1.1\r\nHost: x\r\n\r\n", 200)):
        c = Connection()
        c.socket.sendall(text)
        c.socket.shutdown(socket.SHUT_WR)
        if wanted:
            expect(f"{text!r} and the end", c.answer()[0], wanted)
        expect(f"{text!r}: the end of the answer", c.ended(), True)


def changed_file():
    """A file that changes under a download: an error, never a mixture."""
    path = f"{root}/changing"
    with open(path, "wb") as f:
        f.write(b"a" * 50000000)
    c = Connection()
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    c.send("GET /changing HTTP/1.1", "Host: x")
    while len(c.pending) < 100000:
        c.more()
    with open(path + ".new", "wb") as f:
        f.write(b"b" * 50000000)
    os.rename(path + ".new", path)
    try:
        while c.more():
            if b"b" in c.pending[1000:]:
                failures.append("two versions of a file in one answer")
                break
            c.pending = c.pending[-10:]
        failures.append("a file changed, and the connection was not reset")
    except ConnectionResetError:
        pass
    os.unlink(path)


for case in (statuses, methods, versions, ranges_and_conditions, bodies, many_at_once, heads, ends, changed_file):
    before = len(failures)
    try:
        case()
    except Exception as error:
        failures.append(f"{case.__name__}: {type(error).__name__}: {error}")
    print(f"{case.__name__}: {'passed' if len(failures) == before else 'failed'}", flush=True)
for failure in failures:
    print(failure)
sys.exit(1 if failures else 0)
