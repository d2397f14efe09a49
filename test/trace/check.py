"""check.py TRACE.jsonl [PICTURE.svg] [--same OTHER.jsonl] [--bytes N]: is it a list of events, and the picture one?

--same: the client's side of both tells the same, but for fates, which a capture does not know.
--bytes: so many different bytes of data were received on flow 0."""
import json
import sys
import xml.etree.ElementTree as tree

SIDES = {
    "client": {"open", "spend", "lost", "restart", "input", "close", "receive", "read", "verdict"},
    "server": {"opened", "answer", "terminal", "refresh", "verdict", "judge"},
    "path": {"drop"},
}
FIELDS = {
    "spend": {"generation", "k", "m", "piece", "a", "b", "cwnd", "outstanding", "repeat", "bytes"},
    "lost": {"generation", "from", "to", "cwnd", "outstanding"},
    "restart": {"kind", "generation", "attempt", "k", "a", "b", "cwnd", "outstanding", "repeat", "bytes"},
    "read": {"total", "rival"},
    "receive": {"generation", "n", "cwnd", "outstanding", "offset", "bytes", "form"},
    "answer": {"generation", "n", "a", "b", "f", "piece", "offset", "bytes", "form"},
}


def events(path):
    last = {}
    out = []
    for number, line in enumerate(open(path), 1):
        e = json.loads(line)
        assert e["event"] in SIDES[e["side"]], (path, number, line)
        missing = FIELDS.get(e["event"], set()) - e.keys()
        assert not missing, (path, number, missing)
        assert e["t"] >= last.get(e["flow"], 0), (path, number, "time goes back")
        last[e["flow"]] = e["t"]
        out.append(e)
    assert out, path + " is empty"
    return out


def client_side(list_of_events):
    return [{k: v for k, v in e.items() if k != "fate"} for e in list_of_events if e["side"] == "client"]


def received(list_of_events):
    """Different bytes, however often each came."""
    to = total = 0
    for a, b in sorted((e["offset"], e["offset"] + e["bytes"]) for e in list_of_events if e["event"] == "receive" and e["flow"] == 0):
        total += max(0, b - max(a, to))
        to = max(to, b)
    return total


def check_picture(path):
    root = tree.parse(path).getroot()
    name = "{http://www.w3.org/2000/svg}"
    assert root.tag == name + "svg" and float(root.get("height")) > 300
    words = {t.text for t in root.iter(name + "text")}
    for word in ("cwnd", "numbers in flight", "window, packets", "number of the packet", "data, kB", "time since the first packet, s"):
        assert word in words, word
    assert len(list(root.iter(name + "circle"))) > 5 and not list(root.iter(name + "image")), path
    cwnd = [p for p in root.iter(name + "path") if p.get("class") == "cwnd"]
    assert max(len(p.get("d")) for p in cwnd) > 10, "no line of cwnd"
    for node in root.iter():
        for key in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy"):
            assert node.get(key) is None or -100 <= float(node.get(key)) <= 2000, (node.tag, node.attrib)


def main(arguments):
    own = events(arguments[0])
    if len(arguments) > 1 and not arguments[1].startswith("--"):
        check_picture(arguments[1])
    if "--same" in arguments:
        other = events(arguments[arguments.index("--same") + 1])
        a, b = client_side(own), client_side(other)
        assert len(a) == len(b), (len(a), len(b))
        for x, y in zip(a, b):
            assert x == y, (x, y)
    if "--bytes" in arguments:
        wanted = int(arguments[arguments.index("--bytes") + 1])
        assert received(own) == wanted, (received(own), wanted)
    print(f"ok: {arguments[0]}: {len(own)} events")


main(sys.argv[1:])
