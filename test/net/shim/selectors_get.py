"""selectors_get.py HOST PORT BYTES: one non-blocking download with each kind of selector, registered before connect."""
import errno
import selectors
import socket
import sys

host, port, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for kind in (selectors.SelectSelector, selectors.PollSelector, selectors.EpollSelector):
    with socket.socket() as s, kind() as selector:
        s.setblocking(False)
        selector.register(s, selectors.EVENT_WRITE)
        assert s.connect_ex((host, port)) == errno.EINPROGRESS
        while s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
            assert selector.select(10), "never writable"
            try:
                s.getpeername()
                break
            except OSError as e:
                assert e.errno == errno.ENOTCONN, e
        s.sendall(b"end %d\n" % n)
        selector.modify(s, selectors.EVENT_READ)
        got = 0
        while True:
            assert selector.select(10), "never readable"
            try:
                data = s.recv(65536)
            except BlockingIOError:
                continue
            if not data:
                break
            got += len(data)
        assert got == n, (kind, got)
print("ok")
