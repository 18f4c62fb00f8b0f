"""What the tests stand on: the running gateway, the two sites, and a client of each kind."""

import json
import os
import sqlite3
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import requests

HERE = Path(__file__).resolve().parent
# Everything that must not turn up in the gateway's log; see test_secrets.py.
SECRETS = set()
CLIENTS = {"httpx": lambda: httpx.Client(timeout=30), "requests": requests.Session}


@dataclass(frozen=True)
class Gateway:
    """The local stack, as its line of readiness describes it."""

    url: str
    ready: dict

    def operator(self, *arguments, stdin=None):
        """Runs an operator's command with `--json` against this stack and gives what it printed."""
        command = [os.environ["LATCHKEY_BINARY"], "--endpoint-url", self.ready["dynamodb_url"], *arguments]
        done = subprocess.run([*command, "--json"], input=stdin, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return json.loads(done.stdout)

    def apply(self, definition, api_id, **replacements):
        """Puts a definition in place under `api_id` for the demo user's account."""
        text = (HERE / definition).read_text()
        for placeholder, value in replacements.items():
            assert placeholder in text, placeholder
            text = text.replace(placeholder, value)
        file = Path(os.environ["LATCHKEY_READY"]).with_name(f"{api_id}.yaml")
        file.write_text(text)
        return self.operator("api", "apply", str(file), "--account", self.ready["account_id"], "--id", api_id)


@dataclass(frozen=True)
class Library:
    """Django's admin as one API of the gateway, with sign-ins and sessions of its own."""

    gateway: Gateway
    api_id: str

    USERNAME = "librarian"
    PASSWORD = "a long walk by the sea"

    def url(self, endpoint):
        return f"{self.gateway.url}/scraper/{self.api_id}/{endpoint}"

    def login(self, client, username=USERNAME, password=PASSWORD):
        return client.post(self.url("login"), json={"username": username, "password": password})

    def session(self, client):
        """Signs in and gives the two headers of a protected call."""
        answer = self.login(client)
        assert answer.status_code == 200, answer.text
        SECRETS.add(answer.json()["encryption_key"])
        return {
            "X-Session-ID": answer.json()["session_id"],
            "X-Encryption-Key": answer.json()["encryption_key"],
        }

    @staticmethod
    def end_sessions():
        """The site forgets everyone who is signed in."""
        with sqlite3.connect(os.environ["SITE_DATABASE"], timeout=20) as database:
            database.execute("DELETE FROM django_session")


@pytest.fixture(scope="session")
def gateway():
    ready = json.loads(Path(os.environ["LATCHKEY_READY"]).read_text())
    SECRETS.update([Library.PASSWORD, ready["user"]["password"], ready["demo"]["password"], *ready["keys"].values()])
    return Gateway(ready["base_url"].rstrip("/"), ready)


@pytest.fixture(scope="session")
def access_token(gateway):
    answer = httpx.post(f"{gateway.url}/api/auth/login/", json=gateway.ready["user"], timeout=30)
    assert answer.status_code == 200, answer.text
    SECRETS.update([answer.json()["access"], answer.json()["refresh"]])
    return answer.json()["access"]


@pytest.fixture(scope="session")
def api_key(gateway, access_token):
    answer = httpx.post(
        f"{gateway.url}/v1/api-keys",
        json={"name": "end to end"},
        headers={"Authorization": f"Bearer {access_token}"},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    SECRETS.add(answer.json()["secret"])
    return answer.json()["secret"]


@pytest.fixture(params=sorted(CLIENTS))
def client(request, api_key):
    """An httpx client or a requests session that presents the API key."""
    with CLIENTS[request.param]() as client:
        client.headers["Authorization"] = f"Bearer {api_key}"
        yield client


@pytest.fixture
def library(gateway):
    """A fresh API of the gateway in front of the site: attempts and slots are counted per API."""
    api_id = f"django-{uuid.uuid4().hex[:8]}"
    gateway.apply("django-admin.yaml", api_id, **{"http://127.0.0.1:8000": os.environ["SITE_URL"]})
    return Library(gateway, api_id)


def problem(answer, status, error_code, detail=None):
    """Checks an answer of the contract's section 7 and gives its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["error_code"]) == (status, error_code)
    assert body["request_id"]
    if detail is not None:
        assert body["detail"] == detail
    return body
