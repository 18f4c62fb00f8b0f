"""A stack just deployed, before `latchkey secrets init`: closed, and telling its operator why."""

import os

import httpx
import pytest

from conftest import PATIENCE, problem
from deployment import Deployment

DEPLOYMENT = Deployment.of(os.environ)
COMMAND = "latchkey secrets init"


@pytest.mark.parametrize(
    ("function", "method", "path"),
    [
        ("login", "POST", "/api/auth/login/"),
        ("refresh", "POST", "/api/auth/token/refresh/"),
        ("logout", "POST", "/api/auth/logout/"),
        ("session", "GET", "/api/auth/session"),
        ("keys", "GET", "/v1/api-keys"),
        ("keys", "POST", "/v1/api-keys/some/rotate"),
        ("proxy", "POST", "/scraper/some/login"),
        ("proxy", "GET", "/some/mount"),
        ("jwks", "GET", "/.well-known/jwks.json"),
    ],
)
def test_nothing_is_open_and_the_log_names_the_command(gateway, function, method, path):
    for headers in [{}, {"Authorization": "Bearer none"}, {"X-API-Key": "sk_lk_none"}]:
        answer = httpx.request(method, gateway.url + path, headers=headers, timeout=PATIENCE)
        problem(answer, 503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert COMMAND not in answer.text, "the inside is told to the operator alone"
    causes = [line.get("cause", "") for line in DEPLOYMENT.logs(function) if line["level"] == "ERROR"]
    assert causes and all(COMMAND in cause for cause in causes)


def test_liveness_needs_no_secrets(gateway):
    assert httpx.get(f"{gateway.url}/healthz", timeout=PATIENCE).status_code == 200


def test_the_authorizer_lets_nobody_in():
    # AWS answers the callers of the other API with a 500 then.
    told = DEPLOYMENT.aws("lambda").invoke(FunctionName=DEPLOYMENT.resources()["AuthorizerFunction"], Payload="{}")
    assert "FunctionError" in told
    assert COMMAND in DEPLOYMENT.logs("authorizer")[-1]["cause"]


def test_the_command_makes_them_once(gateway):
    made = DEPLOYMENT.make_secrets()
    assert len(made["created"]) == 10 and made["present"] == []
    again = DEPLOYMENT.make_secrets()
    assert (again["created"], sorted(again["present"])) == ([], sorted(made["created"]))
    # The processes that refused are still there, and need no new start.
    problem(httpx.get(f"{gateway.url}/api/auth/session", timeout=PATIENCE), 401, "missing_credentials")
    assert len(httpx.get(f"{gateway.url}/.well-known/jwks.json", timeout=PATIENCE).json()["keys"]) == 2
