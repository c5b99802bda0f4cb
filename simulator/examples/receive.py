#!/usr/bin/env python3
"""A receiver of alerts: checks who sent an event, drops repeats, prints the rest. Needs nothing but Python.

    python3 simulator/examples/receive.py 9000 pager.secret

and in the configuration of topis, with 16 bytes or more in pager.secret:

    [notify]
    allow_hosts = ["127.0.0.1:9000"]
    [[webhooks]]
    id = "example"
    url = "http://127.0.0.1:9000/"
    secret_file = "pager.secret"
"""

import hashlib
import hmac
import json
import sys
import time
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FRESH_S = 300  # older requests may be somebody's copy
KNOWN_MAX = 100_000


def is_ours(secret: bytes, timestamp: str, body: bytes, signature: str) -> bool:
    wanted = "v1=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    fresh = timestamp.isdigit() and abs(time.time() - int(timestamp)) < FRESH_S
    return fresh and hmac.compare_digest(wanted, signature)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    secret = b""
    known: "OrderedDict[tuple[str, str], None]" = OrderedDict()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        timestamp, signature = (self.headers.get(f"topis-{name}", "") for name in ("timestamp", "signature"))
        if not is_ours(self.secret, timestamp, body, signature):
            return self.answer(401)  # topis gives such an event up and raises SYS.NOTIFY
        event = json.loads(body)
        key = (event["source"], event["id"])
        if key not in self.known:
            alert = event["data"]
            if event["type"] == "topis.alert.withdrawn":  # it is no longer ours to know; only its id is told
                words = [alert["id"]]
            else:
                words = [alert["priority"], alert["headline"], alert["owner"] or "-"]
            print(event["time"], event["type"], *words, flush=True)
            self.known[key] = None
            if len(self.known) > KNOWN_MAX:
                self.known.popitem(last=False)
        self.answer(204)  # only now: an event that was answered is not sent again

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port, secret_file = sys.argv[1:]
    with open(secret_file, "rb") as file:
        Receiver.secret = file.read().rstrip(b"\r\n")
    ThreadingHTTPServer(("127.0.0.1", int(port)), Receiver).serve_forever()
