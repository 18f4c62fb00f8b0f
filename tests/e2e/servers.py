"""Starts what the tests need beside pytest, and leaves nothing of it behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
BINARY = TARGET / "debug" / "latchkey"
# How much of a server's log is shown when the tests failed.
LAST_LINES = 60


class Servers:
    """Processes in groups of their own, each with a log, and a folder for what they write."""

    def __init__(self, name):
        self.work = Path(tempfile.mkdtemp(prefix=f"latchkey-{name}-"))
        self.running = []
        self.on_failure = []
        self.at_end = []
        self.began = time.monotonic()

    def __enter__(self):
        # A stop from outside ends in __exit__ as well.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, _: sys.exit(128 + number))
        return self

    def __exit__(self, kind, error, _):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        failed = kind is not None and not (kind is SystemExit and error.code == 0)
        try:
            for look in self.on_failure if failed else []:
                look()
        finally:
            for _, process in reversed(self.running):
                stop(process)
            for clean_up in reversed(self.at_end):
                clean_up()
            if failed:
                self.show_logs()
            shutil.rmtree(self.work, ignore_errors=True)

    def took(self, what):
        """Prints what the time since the last call went into."""
        now = time.monotonic()
        print(f"{what:<28} {now - self.began:5.0f}s", flush=True)
        self.began = now

    def start(self, name, command, environment=None, **options):
        """Starts a server; its output goes to a file that is shown on failure."""
        out = self.work / f"{name}.out"
        with out.open("w") as stdout, (self.work / f"{name}.log").open("w") as stderr:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=os.environ | (environment or {}),
                start_new_session=True,
                **options,
            )
        self.running.append((name, process))
        return process, out

    def start_and_read(self, name, command, environment=None):
        """Starts a server that prints one line when it is ready, and gives that line."""
        process, out = self.start(name, command, environment)
        wait_for(name, lambda: out.read_text().endswith("\n"), process)
        return out.read_text().splitlines()[0]

    def start_and_ask(self, name, command, url, environment=None, within=60, **options):
        """Starts a server and waits until something answers at `url`."""
        process, _ = self.start(name, command, environment, **options)
        wait_for(name, lambda: answers(url), process, within)
        return process

    def show_logs(self):
        for file in sorted(self.work.glob("*.log")) + sorted(self.work.glob("*.out")):
            lines = file.read_text(errors="replace").splitlines()
            if lines:
                print(f"\n--- {file.name}, the last of {len(lines)} lines")
                print("\n".join(lines[-LAST_LINES:]), flush=True)

    def sites(self, address="127.0.0.1"):
        """The two upstreams at `address`, as the environment that tells the tests of them."""
        (self.work / "site").mkdir()
        told = {"SITE_DATA": str(self.work / "site"), "SITE_ADDRESS": address}
        site = self.start_and_read("django", [sys.executable, HERE / "site" / "serve.py"], told)
        echo = self.start_and_read("echo", [sys.executable, HERE / "echo.py", address])
        return {
            "SITE_URL": site,
            "SITE_DATABASE": str(self.work / "site" / "site.sqlite3"),
            "ECHO_URL": echo,
            "E2E_WORK": str(self.work),
        }


def stop(process):
    """Ends a process and all that it started."""
    for number, patience in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
            # The leader is gone; what it leaves behind in its group goes at once.
            os.killpg(process.pid, signal.SIGKILL)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            pass
        break
    process.wait()


def wait_for(name, is_ready, process, within=60):
    until = time.monotonic() + within
    while not is_ready():
        if process.poll() is not None:
            sys.exit(f"{name} ended with {process.returncode} before it was ready")
        if time.monotonic() > until:
            sys.exit(f"{name} was not ready within {within} seconds")
        time.sleep(0.1)


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def free_port(address="127.0.0.1"):
    with socket.socket() as listener:
        listener.bind((address, 0))
        return listener.getsockname()[1]


def pytest(environment, files, arguments, options=()):
    """Runs the tests of some files, and ends the program where one fails."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", "-ra", *options]
    done = subprocess.run(
        [*command, *arguments, *(str(HERE / file) for file in files)], cwd=HERE, env=os.environ | environment
    )
    # 5 says that the arguments chose no test here.
    if done.returncode not in ((0, 5) if arguments else (0,)):
        sys.exit(done.returncode)
