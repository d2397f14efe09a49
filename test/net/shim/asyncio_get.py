"""asyncio_get.py HOST PORT BYTES N: N concurrent non-blocking downloads of the pattern by asyncio's own selector."""
import asyncio
import sys


def pattern(n):
    return bytes((o * 31 + (o >> 8) * 7 + 3) & 0xFF for o in range(n))


async def get(host, port, n, expected):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"get %d\n" % n)
    first = await reader.readexactly(n)
    writer.write(b"end 0\n")
    rest = await reader.read()
    assert first == expected and rest == b"", "wrong bytes"
    peer, local = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
    assert peer[:2] == (host, port) and local[1] > 0, (peer, local)
    writer.close()
    await writer.wait_closed()


async def main():
    host, port, n, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    expected = pattern(n)
    await asyncio.wait_for(asyncio.gather(*[get(host, port, n, expected) for _ in range(count)]), 60)
    print("ok", count)


asyncio.run(main())
