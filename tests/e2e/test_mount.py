"""A mounted upstream: what it is sent, and what of its answer comes back."""

import http.client
import os
import time
from urllib.parse import urlsplit

import httpx
import jwt
import pytest

from conftest import problem


@pytest.fixture(scope="module", autouse=True)
def mounted(gateway):
    gateway.apply("contacts.yaml", "contacts", **{"http://127.0.0.1:9000": os.environ["ECHO_URL"]})


def url(gateway, rest=""):
    return f"{gateway.url}/api/contacts{rest}"


def seen(answer):
    assert answer.status_code == 200, answer.text
    told = answer.json()
    headers = {}
    for name, value in told["headers"]:
        assert name not in headers, f"{name} sent twice"
        headers[name] = value
    return told, headers


def test_method_path_query_and_body_are_kept(gateway, client):
    told, _ = seen(client.get(url(gateway, "/?page=2&tag=a%20b&tag=c+d")))
    assert (told["method"], told["target"]) == ("GET", "/crm/?page=2&tag=a%20b&tag=c+d")
    told, headers = seen(client.put(url(gateway, "/caf%C3%A9/a%20b"), json={"name": "Zoë"}))
    assert (told["method"], told["target"]) == ("PUT", "/crm/caf%C3%A9/a%20b")
    assert headers["content-type"] == "application/json"
    assert "Zo" in told["body"]
    told, _ = seen(client.delete(url(gateway, "/7")))
    assert (told["method"], told["target"], told["body"]) == ("DELETE", "/crm/7", "")


def test_status_and_body_of_the_upstream_are_untouched(gateway, client):
    for status in [201, 404, 409, 500, 503]:
        answer = client.post(url(gateway, f"/?status={status}"), json={})
        assert answer.status_code == status
        assert answer.json()["method"] == "POST"
        assert answer.headers["X-Upstream"] == "echo"


def test_the_identity_is_signed_for_this_upstream(gateway, client):
    _, headers = seen(client.get(url(gateway, "/1")))
    token = headers["x-latchkey-identity"]
    keys = jwt.PyJWKSet.from_dict(httpx.get(f"{gateway.url}/.well-known/jwks.json").json())
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(
        token, keys[header["kid"]].key, algorithms=["EdDSA"], audience=os.environ["ECHO_URL"]
    )
    assert header["typ"] not in ("JWT", "at+jwt")
    assert claims["exp"] - claims["iat"] == 60
    assert abs(claims["iat"] - time.time()) < 30
    answer = httpx.get(f"{gateway.url}/api/auth/session", headers={"Authorization": f"Bearer {token}"})
    problem(answer, 401, "invalid_credentials")


def test_the_callers_own_secrets_stay_here(gateway, client, api_key):
    told, headers = seen(
        client.get(
            url(gateway, "/1"),
            headers={
                "Cookie": "own=1",
                "X-Latchkey-Identity": "forged",
                "X-Latchkey-Anything": "forged",
                "X-Forwarded-For": "203.0.113.9",
                "X-Forwarded-Host": "elsewhere.example",
                "Forwarded": "for=203.0.113.9",
                "X-Own": "kept",
            },
        )
    )
    assert headers["x-own"] == "kept"
    assert headers["x-latchkey-identity"] != "forged"
    for name in ["authorization", "cookie", "x-api-key", "x-latchkey-anything", "forwarded"]:
        assert name not in headers
    assert not [name for name in headers if name.startswith("x-forwarded-")]
    assert api_key not in str(told)
    assert headers["host"] == urlsplit(os.environ["ECHO_URL"]).netloc


def test_headers_that_act_on_the_gateways_origin_are_dropped(gateway, client):
    answer = client.get(url(gateway, "/?drop=1"))
    seen(answer)
    for name in ["Set-Cookie", "Clear-Site-Data", "Service-Worker-Allowed"]:
        assert name not in answer.headers
    assert answer.headers.get("Strict-Transport-Security") != "max-age=1"
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "rest",
    ["/../login", "/%2e%2e/login", "/a/%2E./b", "/./a", "/a%5Cb", "/a%00b", "/a%0Ab", "/a%3Fb", "/a%23b"],
)
def test_paths_that_could_be_read_in_two_ways(gateway, api_key, rest):
    host = urlsplit(gateway.url).netloc
    connection = http.client.HTTPConnection(host, timeout=30)
    # As it stands: the client libraries would resolve dot segments by themselves.
    connection.putrequest("GET", f"/api/contacts{rest}", skip_accept_encoding=True)
    connection.putheader("Authorization", f"Bearer {api_key}")
    connection.endheaders()
    assert connection.getresponse().status == 400


def test_no_credential_and_two(gateway, client, api_key):
    answer = client.get(url(gateway, "/"), headers={"X-API-Key": api_key})
    problem(answer, 400, "multiple_credentials")
    client.headers.pop("Authorization")
    problem(client.get(url(gateway, "/")), 401, "missing_credentials")
