"""A site that ends a session whose client's address changes, and prints its URL when it is ready.

    python roaming.py [ADDRESS]

The user `nomad` may come from anywhere. Every answer tells the address that the request came from, and by which proxy
where that one says so.
"""

import json
import secrets
import sys
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

PASSWORD = "a tent below the pass"
# Cookie value to user and address.
SESSIONS = {}


class Roaming(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path == "/where":
            return self.answer(200, self.seen())
        value = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        value = value and value.value
        user, address = SESSIONS.get(value, (None, None))
        if user != "nomad" and address != self.client_address[0]:
            SESSIONS.pop(value, None)
            return self.answer(302, {}, Location="/login")
        return self.answer(200, {"user": user} | self.seen())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if self.path != "/login" or form.get("password") != PASSWORD:
            return self.answer(403, {})
        value = secrets.token_hex()
        SESSIONS[value] = form["username"], self.client_address[0]
        return self.answer(200, self.seen(), **{"Set-Cookie": f"session={value}; HttpOnly"})

    def seen(self):
        return {
            "address": self.client_address[0],
            "via": self.headers.get("Via"),
            "for_the_proxy": [name for name in self.headers if name.lower().startswith("proxy-")],
        }

    def answer(self, status, body, **headers):
        told = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    with ThreadingHTTPServer((address, 0), Roaming) as server:
        print(f"http://{address}:{server.server_port}", flush=True)
        server.serve_forever()
