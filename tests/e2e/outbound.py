"""Real outbound proxies, Debian's tinyproxy and microsocks: where they are, and how they are started and stopped."""

import os
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from servers import HERE, free_port

PATIENCE = 20
USER = "resident"
# tinyproxy's reader of its own file takes letters and digits alone.
PASSWORDS = {"tinyproxy": "SevenBridges2207", "microsocks": "seven bridges: 50% off @ dawn/dusk"}

# No tunnels but to the port of TLS, which is what Debian's own configuration says.
TINYPROXY = """\
Port {port}
Listen {address}
Bind {address}
MaxClients 50
Timeout 60
ViaProxyName "{name}"
ConnectPort 443
{more}
"""


@dataclass
class Proxy:
    """One proxy, which calls sites from the address that it listens on."""

    kind: str
    address: str
    port: int
    with_password: bool = False
    any_tunnel: bool = False

    def url(self, password=None):
        scheme = "http" if self.kind == "tinyproxy" else "socks5"
        password = quote(password or PASSWORDS[self.kind], safe="")
        credentials = f"{USER}:{password}@" if self.with_password else ""
        return f"{scheme}://{credentials}{self.address}:{self.port}"

    @property
    def name(self):
        """What tinyproxy calls itself to sites."""
        return f"tinyproxy-{self.port}"

    def start(self):
        """Starts it, and waits until it listens."""
        self.process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=os.environ | {"PATH": os.environ["OUTBOUND_PATH"]}, start_new_session=True,
        )
        until = time.monotonic() + PATIENCE
        while not self.listens():
            assert self.process.poll() is None and time.monotonic() < until, f"{self} did not start"
            time.sleep(0.05)

    def command(self):
        if self.kind == "microsocks":
            own = ["-u", USER, "-P", PASSWORDS[self.kind]] if self.with_password else []
            return ["microsocks", "-i", self.address, "-p", str(self.port), "-b", self.address, *own]
        text = TINYPROXY.format(
            address=self.address, port=self.port, name=self.name,
            more=f"BasicAuth {USER} {PASSWORDS[self.kind]}" if self.with_password else "",
        )
        if self.any_tunnel:
            text = text.replace("ConnectPort 443\n", "")
        file = Path(os.environ["E2E_WORK"]) / f"{self.name}.conf"
        file.write_text(text)
        return ["tinyproxy", "-d", "-c", str(file)]

    def listens(self):
        try:
            socket.create_connection((self.address, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    process = None


def on(kind, address, **more):
    return asdict(Proxy(kind, address, free_port(address), **more))


def install():
    """Makes sure that both are there, and gives the PATH by which they are found."""
    command = [HERE / "debian", "tinyproxy-bin", "microsocks"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def pools(given):
    """The pools of the local stack, by name, each with its proxies."""
    return {name: [Proxy(**told) for told in members] for name, members in given.items()}


def choose():
    """Where the proxies of the local stack are to be: addresses and ports for each pool."""
    return {
        "home": [
            on("tinyproxy", "127.0.0.2"),
            on("microsocks", "127.0.0.3"),
            on("tinyproxy", "127.0.0.4", with_password=True),
            on("microsocks", "127.0.0.5", with_password=True),
        ],
        "pair": [on("microsocks", "127.0.0.6"), on("tinyproxy", "127.0.0.7")],
        "tunnel": [on("tinyproxy", "127.0.0.8", any_tunnel=True)],
        "tinyproxy": [on("tinyproxy", "127.0.0.9")],
        "microsocks": [on("microsocks", "127.0.0.10")],
        "locked-tinyproxy": [on("tinyproxy", "127.0.0.11", with_password=True, any_tunnel=True)],
        "locked-microsocks": [on("microsocks", "127.0.0.12", with_password=True)],
    }
