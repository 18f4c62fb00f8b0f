"""The README's first minute, run as it stands there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import SECRETS

README = Path(__file__).resolve().parents[2] / "README.md"
FIRST_MINUTE = README.read_text().split("## The first minute")[1].split("\n## ")[0]
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", FIRST_MINUTE, re.DOTALL)
# The first block is what a reader copies from the screen.
SHELL = "".join(text for kind, text in BLOCKS if kind == "sh" and "…" not in text)
PYTHON = [text for kind, text in BLOCKS if kind == "python"]


@pytest.fixture(scope="module")
def ready():
    """The local stack's line of readiness."""
    told = json.loads(Path(os.environ["LATCHKEY_READY"]).read_text())
    SECRETS.update([told["user"]["password"], told["demo"]["password"], *told["keys"].values()])
    return told


@pytest.fixture(scope="module")
def printed(gateway, ready):
    """The environment with what the local stack prints at its start."""
    user, demo = ready["user"], ready["demo"]
    assert demo["scraper_id"] == "demo"
    return os.environ | {
        "BASE": gateway.url,
        "EMAIL": user["email"],
        "PASSWORD": user["password"],
        "SITE_USERNAME": demo["username"],
        "SITE_PASSWORD": demo["password"],
    }


def run(command, script, environment):
    done = subprocess.run(
        command, input=script, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_curl(printed):
    told = run(["bash", "-euo", "pipefail"], SHELL, printed)
    assert '"method":"api_key"' in told.replace(" ", "")
    assert '"messages":[{' in told.replace(" ", "")


@pytest.mark.parametrize("script", PYTHON, ids=["httpx", "requests"])
def test_python(printed, ready, script):
    told = run([sys.executable, "-"], script, printed | {"KEY": ready["keys"]["account"]})
    assert len(told.splitlines()) >= 1
