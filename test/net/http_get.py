"""http_get.py URL FILE: one GET with http.client, written to FILE. Exits 1 unless the status is 200."""
import http.client
import shutil
import sys
from urllib.parse import urlsplit

url = urlsplit(sys.argv[1])
connection = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=60)
connection.request("GET", url.path)
answer = connection.getresponse()
with open(sys.argv[2], "wb") as out:
    shutil.copyfileobj(answer, out, 1 << 16)
sys.exit(0 if answer.status == 200 and answer.length == 0 else 1)
