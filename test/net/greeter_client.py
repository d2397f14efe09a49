"""greeter_client.py HOST PORT: talks to examples/greeter: lines, counts of unknown length, and goodbye."""
import socket
import sys

s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=30)
lines = s.makefile("rb")


def line(wanted):
    got = lines.readline()
    if got != wanted:
        sys.exit(f"got {got!r}, wanted {wanted!r}")


if not lines.readline().startswith(b"Hello."):
    sys.exit("no greeting")
print("greeted", flush=True)
for count in (1, 5, 182, 10000, 1000000):
    s.sendall(b"count %d\n" % count)
    for i in range(1, count + 1):
        line(b"%07d\n" % i)
    s.sendall(b"a line\nand another\n")
    line(b"a line\n")
    line(b"and another\n")
s.sendall(b"bye\n")
line(b"Goodbye.\n")
line(b"")
print("talked")
