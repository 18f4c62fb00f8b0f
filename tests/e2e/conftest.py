"""What the tests stand on: the gateway under test, the two sites, and a client of each kind.

Where they are comes from the environment, so that the same tests run against every stack; `run` sets it.
"""

import json
import os
import shlex
import sqlite3
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import requests

HERE = Path(__file__).resolve().parent
DEFINITIONS = HERE.parents[1] / "docs" / "definitions"
# Everything that must not turn up in the gateway's log; see test_secrets.py.
SECRETS = set()
# A function's first request may have to wait for its start, a sign-in at a site for the site.
PATIENCE = 60
CLIENTS = {"httpx": lambda: httpx.Client(timeout=PATIENCE), "requests": requests.Session}


@dataclass(frozen=True)
class Gateway:
    """The stack under test."""

    url: str
    command: list

    def run_operator(self, *arguments, stdin=None):
        """Runs an operator's command with `--json` against this stack."""
        return subprocess.run(
            [*self.command, *arguments, "--json"], input=stdin, capture_output=True, text=True, timeout=PATIENCE
        )

    def operator(self, *arguments, stdin=None):
        """The same, and gives what it printed."""
        done = self.run_operator(*arguments, stdin=stdin)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return json.loads(done.stdout)

    def person(self, plan="free"):
        """A new user, made by the operator."""
        email, password = f"{uuid.uuid4().hex}@example.org", uuid.uuid4().hex
        SECRETS.add(password)
        made = self.operator(
            "user", "create", email, "--plan", plan, "--first-name", "Jane", "--last-name", "Doe",
            "--password-stdin", stdin=password,
        )
        return Person(self, email, password, made["id"], made["account_id"], made["workspace_id"])


@dataclass(frozen=True)
class Person:
    """A user of the gateway."""

    gateway: Gateway
    email: str
    password: str
    id: str
    account_id: str
    workspace_id: str

    def login(self, password=None):
        body = {"email": self.email, "password": password or self.password}
        return httpx.post(f"{self.gateway.url}/api/auth/login/", json=body, timeout=PATIENCE)

    def tokens(self):
        """A new pair of tokens."""
        answer = self.login()
        assert answer.status_code == 200, answer.text
        return remember(answer.json())

    def client(self):
        """A client that is signed in."""
        return bearer(self.gateway, self.tokens()["access"])

    def apply(self, definition, api_id, **replacements):
        """Puts a definition in place under `api_id` for this user's account."""
        text = (HERE / definition).read_text()
        for placeholder, value in replacements.items():
            assert placeholder in text, placeholder
            text = text.replace(placeholder, value)
        file = Path(os.environ["E2E_WORK"]) / f"{api_id}-{uuid.uuid4().hex}.yaml"
        file.write_text(text)
        return self.gateway.operator("api", "apply", str(file), "--account", self.account_id, "--id", api_id)


@dataclass(frozen=True)
class Api:
    """A site as one API of the gateway, with sign-ins and sessions of its own."""

    gateway: Gateway
    api_id: str
    username: str
    password: str

    def url(self, endpoint):
        return f"{self.gateway.url}/scraper/{self.api_id}/{endpoint}"

    def login(self, client, username=None, password=None, **more):
        SECRETS.add(self.password)
        inputs = {"username": username or self.username, "password": password or self.password} | more
        return client.post(self.url("login"), json=inputs)

    def session(self, client, **more):
        """Signs in and gives the two headers of a protected call."""
        return self.session_of(self.login(client, **more))

    @staticmethod
    def session_of(answer):
        """The two headers that an answer gives, to a sign-in or to an import."""
        assert answer.status_code == 200, answer.text
        SECRETS.add(answer.json()["encryption_key"])
        return {
            "X-Session-ID": answer.json()["session_id"],
            "X-Encryption-Key": answer.json()["encryption_key"],
        }

    def call(self, client, endpoint, session, **inputs):
        """The `data` of a call that succeeds."""
        answer = client.post(self.url(endpoint), json=inputs, headers=session)
        assert answer.status_code == 200, answer.text
        assert answer.headers["X-Latchkey-Session"] == "active"
        return answer.json()["data"]


@dataclass(frozen=True)
class Library(Api):
    """Django's admin."""

    username: str = "librarian"
    password: str = "a long walk by the sea"

    @staticmethod
    def sessions():
        """How many sessions the site knows."""
        with sqlite3.connect(os.environ["SITE_DATABASE"], timeout=20) as database:
            return database.execute("SELECT COUNT(*) FROM django_session").fetchone()[0]

    @staticmethod
    def end_sessions():
        """The site forgets everyone who is signed in."""
        with sqlite3.connect(os.environ["SITE_DATABASE"], timeout=20) as database:
            database.execute("DELETE FROM django_session")


def remember(pair):
    """Notes a pair of tokens as secrets and gives it back."""
    SECRETS.update([pair["access"], pair["refresh"]])
    return pair


def bearer(gateway, credential):
    return httpx.Client(
        base_url=gateway.url, headers={"Authorization": f"Bearer {credential}"}, timeout=PATIENCE
    )


@pytest.fixture(scope="session")
def gateway():
    return Gateway(os.environ["LATCHKEY_URL"].rstrip("/"), shlex.split(os.environ["LATCHKEY_OPERATOR"]))


@pytest.fixture(scope="session")
def person(gateway):
    """The user who owns what the tests share."""
    return gateway.person("pro")


@pytest.fixture(scope="session")
def access_token(person):
    return person.tokens()["access"]


def make_key(gateway, access_token, **fields):
    answer = httpx.post(
        f"{gateway.url}/v1/api-keys",
        json={"name": "end to end"} | fields,
        headers={"Authorization": f"Bearer {access_token}"},
        timeout=PATIENCE,
    )
    assert answer.status_code == 201, answer.text
    SECRETS.add(answer.json()["secret"])
    return answer.json()


@pytest.fixture(scope="session")
def api_key(gateway, access_token):
    return make_key(gateway, access_token)["secret"]


@pytest.fixture(scope="session")
def workspace_key(gateway, person, access_token):
    return make_key(gateway, access_token, scope={"type": "workspace", "id": person.workspace_id})["secret"]


@pytest.fixture(params=sorted(CLIENTS))
def client(request, api_key):
    """An httpx client or a requests session that presents the API key."""
    with CLIENTS[request.param]() as client:
        client.headers["Authorization"] = f"Bearer {api_key}"
        yield client


@pytest.fixture
def program(api_key):
    """A client that presents the API key, for tests that have seen enough kinds of clients elsewhere."""
    with httpx.Client(headers={"Authorization": f"Bearer {api_key}"}, timeout=PATIENCE) as client:
        yield client


def apply_example(person, name, **replacements):
    """Puts docs/definitions/NAME.yaml in place as a fresh API, because attempts and slots are counted per API, and
    gives its id."""
    api_id = f"{name}-{uuid.uuid4().hex[:8]}"
    person.apply(DEFINITIONS / f"{name}.yaml", api_id, **replacements)
    return api_id


@pytest.fixture
def library(person):
    site = {"https://library.example.com": os.environ["SITE_URL"]}
    return Library(person.gateway, apply_example(person, "django-admin", **site))


def problem(answer, status, error_code, detail=None):
    """Checks an answer of the contract's section 7 and gives its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["error_code"]) == (status, error_code)
    assert body["request_id"] and body["title"] and body["type"]
    if detail is not None:
        assert body["detail"] == detail
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    return body
