"""many_get.py URL DIRECTORY: 20 threads, then forked and spawned workers fetch f1 ... f20 and compare."""
import multiprocessing
import sys
import threading
import urllib.request

url, directory = sys.argv[1], sys.argv[2]


def differs(i):
    return urllib.request.urlopen(f"{url}/f{i}", timeout=30).read() != open(f"{directory}/f{i}", "rb").read()


if __name__ == "__main__":
    bad = []
    threads = [threading.Thread(target=lambda i=i: bad.append(i) if differs(i) else None) for i in range(1, 21)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for method in "fork", "spawn":
        with multiprocessing.get_context(method).Pool(3) as pool:
            bad += [i for i, d in enumerate(pool.map(differs, range(1, 21)), 1) if d]
    sys.exit(f"differ: {bad}" if bad else 0)
