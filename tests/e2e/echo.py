"""A tiny upstream that answers with what it was sent, and prints its URL when it is ready.

    python echo.py [ADDRESS]

The query chooses the answer: `status`, and `drop=1` for the headers that a gateway must not pass on.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

NOT_FOR_THE_CALLER = {
    "Set-Cookie": "upstream=1; Path=/",
    "Clear-Site-Data": '"*"',
    "Service-Worker-Allowed": "/",
    "Strict-Transport-Security": "max-age=1",
}


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = parse_qs(urlsplit(self.path).query)
        told = json.dumps(
            {
                "method": self.command,
                "target": self.path,
                "headers": [[name.lower(), value] for name, value in self.headers.items()],
                "body": body.decode(errors="replace"),
            }
        ).encode()
        self.send_response(int(query.get("status", ["200"])[0]))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.send_header("X-Upstream", "echo")
        if "drop" in query:
            for name, value in NOT_FOR_THE_CALLER.items():
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    with ThreadingHTTPServer((address, 0), Echo) as server:
        print(f"http://{address}:{server.server_port}", flush=True)
        server.serve_forever()
