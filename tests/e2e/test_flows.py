"""Every flow of the contract, as a client sees it. Runs unchanged against each stack; see `run`."""

import base64
import http.client
import json
import os
import time
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import httpx
import jwt
import pytest

from conftest import CLIENTS, DEFINITIONS, PATIENCE, SECRETS, Library, bearer, make_key, problem, remember

WRONG_LOGIN = "The e-mail address or the password is wrong."
SESSION_REQUIRED = "This endpoint requires session_id and encryption_key. Call the login endpoint first."
INVALID_SESSION = "Invalid session or encryption key"
# What the gateway that stands before the functions does otherwise than AWS's, on the stacks that say so in
# E2E_DEVIATIONS. The case is skipped there, and only there.
DEVIATIONS = {
    "body-limit": "no limit to bodies like Lambda's 6 MB (ministack), or an answer of its own at it (sam local)",
    "body-bytes": "decodes text itself, and fails where it is no UTF-8 (sam local)",
    "percent": "leaves %25 in paths as it is, where it decodes all other escapes (ministack)",
    "newline": "has no route for a path with a newline (sam local)",
}
KEY_FIELDS = {
    "id", "name", "prefix", "scope", "permissions", "is_active", "created_at", "created_by",
    "last_used_at", "request_count", "expires_at", "allowed_ips", "rate_limit", "unusual",
}


@pytest.fixture
def anyone(gateway):
    """A client without a credential."""
    with httpx.Client(base_url=gateway.url, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def owner(gateway, access_token):
    """A client with the access token of the user who owns what the tests share."""
    with bearer(gateway, access_token) as client:
        yield client


@pytest.fixture
def caller(gateway, api_key):
    """A client with an API key."""
    with bearer(gateway, api_key) as client:
        yield client


def skip_where(deviation):
    if deviation in os.environ.get("E2E_DEVIATIONS", "").split():
        pytest.skip(f"this stack's gateway: {DEVIATIONS[deviation]}")


def session_of(anyone, credential):
    return anyone.get("/api/auth/session", headers={"Authorization": f"Bearer {credential}"})


def refresh(anyone, token):
    return anyone.post("/api/auth/token/refresh/", json={"refresh": token})


def basic(key):
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def published_key(anyone, token):
    """The key of the JWKS that signed a token."""
    answer = anyone.get("/.well-known/jwks.json")
    assert answer.status_code == 200, answer.text
    assert "d" not in answer.json()["keys"][0]
    return jwt.PyJWKSet.from_dict(answer.json())[jwt.get_unverified_header(token)["kid"]].key


# ---- Sign-in, refresh, logout


def test_login(anyone, person):
    answer = person.login()
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Strict-Transport-Security"]
    body = remember(answer.json())
    assert set(body) == {"access", "refresh", "user"}
    assert body["user"] == {
        "id": person.id,
        "email": person.email,
        "firstName": "Jane",
        "lastName": "Doe",
        "workspaceId": person.workspace_id,
    }
    assert session_of(anyone, body["access"]).json()["method"] == "access_token"


def test_the_access_token_is_signed_by_a_published_key(anyone, person):
    pair = person.tokens()
    header = jwt.get_unverified_header(pair["access"])
    assert (header["typ"], header["alg"]) == ("at+jwt", "EdDSA")
    issuer = jwt.decode(pair["access"], options={"verify_signature": False})["iss"]
    claims = jwt.decode(
        pair["access"],
        published_key(anyone, pair["access"]),
        algorithms=["EdDSA"],
        audience=issuer,
        options={"require": ["iss", "aud", "sub", "user_id", "sid", "iat", "exp", "jti"]},
    )
    assert claims["sub"] == claims["user_id"] == person.id
    assert claims["exp"] - claims["iat"] == 3600
    head, payload, signature = pair["access"].split(".")
    forged = f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    problem(session_of(anyone, forged), 401, "invalid_credentials")
    assert jwt.get_unverified_header(pair["refresh"])["typ"] == "rt+jwt"
    problem(session_of(anyone, pair["refresh"]), 401, "invalid_credentials")


def test_a_wrong_password_and_an_unknown_address_answer_alike(anyone, person):
    problem(person.login("not the password"), 401, "invalid_credentials", WRONG_LOGIN)
    unknown = {"email": f"{uuid.uuid4().hex}@example.org", "password": "not the password"}
    problem(anyone.post("/api/auth/login/", json=unknown), 401, "invalid_credentials", WRONG_LOGIN)


def test_wrong_passwords_are_throttled_and_nobody_else_is(gateway, person):
    attacked = gateway.person()
    for _ in range(10):
        problem(attacked.login("not the password"), 401, "invalid_credentials")
    for password in ["not the password", attacked.password]:
        answer = attacked.login(password)
        problem(answer, 429, "too_many_attempts")
        assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert person.login().status_code == 200


def test_login_does_not_mind_a_stale_credential(gateway, person):
    for stale in [{"Authorization": "Bearer stale"}, {"X-API-Key": "stale"}, {"Cookie": "cloud.sso=stale"}]:
        answer = httpx.post(
            f"{gateway.url}/api/auth/login/",
            json={"email": person.email, "password": person.password},
            headers=stale,
            timeout=PATIENCE,
        )
        assert answer.status_code == 200, answer.text
        remember(answer.json())


def test_refresh_gives_a_new_pair(anyone, person):
    first = person.tokens()
    answer = refresh(anyone, first["refresh"])
    assert answer.status_code == 200, answer.text
    second = remember(answer.json())
    assert set(second) == {"access", "refresh"}
    assert second["refresh"] != first["refresh"]
    for pair in [first, second]:
        assert session_of(anyone, pair["access"]).status_code == 200

    def count(token):
        return jwt.decode(token, options={"verify_signature": False})["ctr"]

    assert count(second["refresh"]) == count(first["refresh"]) + 1


def test_a_refresh_token_used_again_within_the_grace_gets_the_same_successor(anyone, person):
    first = person.tokens()["refresh"]

    def successor():
        answer = refresh(anyone, first)
        assert answer.status_code == 200, answer.text
        return jwt.decode(remember(answer.json())["refresh"], options={"verify_signature": False})

    once, twice = successor(), successor()
    assert (once["sid"], once["ctr"]) == (twice["sid"], twice["ctr"])


def test_a_refresh_token_older_than_the_last_is_theft(anyone, person):
    first = person.tokens()
    second = remember(refresh(anyone, first["refresh"]).json())
    third = remember(refresh(anyone, second["refresh"]).json())
    problem(refresh(anyone, first["refresh"]), 401, "refresh_reused")
    # The whole login session is over, for whoever holds the newest pair, too.
    problem(refresh(anyone, third["refresh"]), 401, "invalid_credentials")
    for pair in [first, second, third]:
        problem(session_of(anyone, pair["access"]), 401, "invalid_credentials")


def test_what_is_no_refresh_token(anyone, person, api_key):
    for wrong in ["none", person.tokens()["access"], api_key]:
        problem(refresh(anyone, wrong), 401, "invalid_credentials")


@pytest.mark.parametrize("by", ["refresh token", "access token"])
def test_logout_ends_every_token_of_the_session_and_no_other(anyone, person, by):
    pair, other = person.tokens(), person.tokens()
    newer = remember(refresh(anyone, pair["refresh"]).json())
    if by == "refresh token":
        answer = anyone.post("/api/auth/logout/", json={"refresh": newer["refresh"]})
    else:
        answer = anyone.post("/api/auth/logout/", headers={"Authorization": f"Bearer {newer['access']}"})
    assert (answer.status_code, answer.content) == (204, b"")
    for dead in [pair, newer]:
        problem(session_of(anyone, dead["access"]), 401, "invalid_credentials")
        problem(refresh(anyone, dead["refresh"]), 401, "invalid_credentials")
    assert session_of(anyone, other["access"]).status_code == 200


# ---- Who am I


@pytest.fixture(params=sorted(CLIENTS))
def stranger(request):
    with CLIENTS[request.param]() as client:
        yield client


def test_every_form_of_a_credential(gateway, stranger, person, access_token, api_key, workspace_key):
    assert api_key.startswith("sk_lk_") and workspace_key.startswith("pk_live_lk_")
    forms = [
        ({"headers": {"Authorization": f"Bearer {access_token}"}}, "access_token", "user"),
        ({"headers": {"Authorization": f"Bearer {api_key}"}}, "api_key", "user"),
        ({"headers": {"Authorization": f"Bearer {workspace_key}"}}, "api_key", "system"),
        ({"headers": basic(api_key)}, "api_key", "user"),
        ({"headers": basic(workspace_key)}, "api_key", "system"),
        ({"auth": (api_key, "")}, "api_key", "user"),
        ({"headers": {"X-API-Key": api_key}}, "api_key", "user"),
        ({"headers": {"X-API-Key": workspace_key}}, "api_key", "system"),
    ]
    for presented, method, actor in forms:
        answer = stranger.get(f"{gateway.url}/api/auth/session", **presented)
        assert answer.status_code == 200, (presented, answer.text)
        assert answer.headers["Cache-Control"] == "no-store"
        body = answer.json()
        assert set(body) == {"method", "user", "actor", "account", "workspace", "key", "expires_at"}
        assert (body["method"], body["actor"]["type"]) == (method, actor)
        assert body["account"]["id"] == person.account_id
        assert body["workspace"]["id"] == person.workspace_id


def test_none_and_a_bad_credential(anyone, api_key):
    problem(anyone.get("/api/auth/session"), 401, "missing_credentials")
    last = "A" if api_key[-1] != "A" else "B"
    bad = [
        {"Authorization": "Bearer none"},
        {"Authorization": "Digest none"},
        {"Authorization": f"Bearer {api_key[:-1]}{last}"},
        {"X-API-Key": api_key[:-1]},
        {"X-API-Key": "none"},
        basic("none"),
    ]
    for headers in bad:
        problem(anyone.get("/api/auth/session", headers=headers), 401, "invalid_credentials")


def test_two_credentials_are_refused_in_any_mix(anyone, access_token, api_key):
    mixes = [
        {"Authorization": f"Bearer {api_key}", "X-API-Key": api_key},
        {"Authorization": f"Bearer {access_token}", "X-API-Key": api_key},
        basic(api_key) | {"X-API-Key": "none"},
        {"Authorization": f"Bearer {api_key}", "Cookie": "cloud.sso=some"},
        {"X-API-Key": api_key, "Cookie": "other=1; cloud.sso=some"},
    ]
    for headers in mixes:
        problem(anyone.get("/api/auth/session", headers=headers), 400, "multiple_credentials")


def test_acting_in_an_organization(anyone, gateway, person, access_token):
    stranger = gateway.person()
    made = gateway.operator("organization", "create", "Doe & Sons", "--owner", person.email)
    headers = {"Authorization": f"Bearer {access_token}", "X-Latchkey-Account": made["id"]}
    answer = anyone.get("/api/auth/session", headers=headers)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["account"]["id"], answer.json()["account"]["kind"]) == (made["id"], "organization")
    headers["Authorization"] = f"Bearer {stranger.tokens()['access']}"
    problem(anyone.get("/api/auth/session", headers=headers), 403, "permission_denied")
    gateway.operator("organization", "add-member", made["id"], stranger.email, "--role", "viewer")
    assert anyone.get("/api/auth/session", headers=headers).status_code == 200


def test_a_deactivated_account_is_refused_at_once_everywhere(anyone, gateway):
    person = gateway.person()
    pair = person.tokens()
    key = make_key(gateway, pair["access"])["secret"]
    gateway.operator("account", "deactivate", person.email)
    for credential in [pair["access"], key]:
        problem(session_of(anyone, credential), 403, "account_deactivated")
    headers = {"Authorization": f"Bearer {key}"}
    problem(anyone.get("/v1/api-keys", headers=headers), 403, "account_deactivated")
    problem(anyone.get("/scraper/none", headers=headers), 403, "account_deactivated")
    problem(refresh(anyone, pair["refresh"]), 403, "account_deactivated")
    problem(person.login(), 403, "account_deactivated")
    problem(person.login("not the password"), 401, "invalid_credentials")
    gateway.operator("account", "activate", person.email)
    for credential in [pair["access"], key]:
        assert session_of(anyone, credential).status_code == 200
    assert refresh(anyone, pair["refresh"]).status_code == 200
    assert person.login().status_code == 200


def test_a_password_set_by_the_operator_ends_what_was_signed_in(anyone, gateway):
    person = gateway.person()
    pair = person.tokens()
    gateway.operator("user", "reset-password", person.email, "--password-stdin", stdin="another password")
    problem(session_of(anyone, pair["access"]), 401, "invalid_credentials")
    problem(refresh(anyone, pair["refresh"]), 401, "invalid_credentials")
    problem(person.login(), 401, "invalid_credentials")
    assert person.login("another password").status_code == 200


# ---- API keys


def test_a_key_is_shown_whole_once(owner, gateway, person):
    expires_at = (datetime.now(timezone.utc) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = owner.post("/v1/api-keys", json={"name": "robot", "expires_at": expires_at, "rate_limit": 100})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    secret = made.pop("secret")
    SECRETS.add(secret)
    assert set(made) == KEY_FIELDS
    assert secret.startswith(made["prefix"]) and len(made["prefix"]) < len(secret) / 2
    assert made["scope"] == {"type": "account", "id": person.account_id}
    assert (made["name"], made["is_active"], made["rate_limit"]) == ("robot", True, 100)
    assert made["expires_at"] == expires_at
    assert (made["request_count"], made["last_used_at"]) == (0, None)

    shown = owner.get(f"/v1/api-keys/{made['id']}")
    assert shown.status_code == 200, shown.text
    assert shown.json() == made
    listed = owner.get("/v1/api-keys", params={"limit": 100})
    assert listed.status_code == 200, listed.text
    assert made in listed.json()["data"]
    assert secret not in shown.text + listed.text

    with bearer(gateway, secret) as robot:
        assert robot.get("/api/auth/session").status_code == 200
        problem(robot.get("/v1/api-keys/none"), 404, "not_found")
    used = owner.get(f"/v1/api-keys/{made['id']}").json()
    assert used["request_count"] == 2
    assert used["last_used_at"] is not None


def test_keys_are_listed_in_pages(gateway):
    person = gateway.person()
    with person.client() as owner:
        made = [make_key(gateway, owner.headers["Authorization"][7:], name=f"key {n}")["id"] for n in range(3)]
        first = owner.get("/v1/api-keys", params={"limit": 2}).json()
        second = owner.get("/v1/api-keys", params={"limit": 2, "cursor": first["next_cursor"]}).json()
        assert [key["id"] for key in first["data"] + second["data"]] == made[::-1]
        assert second["next_cursor"] is None


def test_a_changed_key(owner, gateway, access_token):
    key = make_key(gateway, access_token)
    path = f"/v1/api-keys/{key['id']}"
    answer = owner.patch(path, json={"name": "renamed", "allowed_ips": ["203.0.113.0/24"]})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["name"], answer.json()["allowed_ips"]) == ("renamed", ["203.0.113.0/24"])
    with bearer(gateway, key["secret"]) as robot:
        # The address that counts is the one the gateway sees, whatever a header says.
        for headers in [{}, {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}]:
            problem(robot.get("/api/auth/session", headers=headers), 403, "permission_denied")
        assert owner.patch(path, json={"allowed_ips": None, "rate_limit": 1}).status_code == 200
        answers = [robot.get("/api/auth/session") for _ in range(3)]
        # A minute may end between two of the three calls, not between all of them.
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        for answer in refused:
            problem(answer, 429, "rate_limited")
            assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert owner.patch(path, json={"rate_limit": None}).status_code == 200
        assert robot.get("/api/auth/session").status_code == 200


def test_a_rotated_key_keeps_its_id_and_the_old_text_a_grace(anyone, owner, gateway, access_token):
    key = make_key(gateway, access_token)
    texts = [key["secret"]]
    for body in [{}, {"grace_seconds": 3600}]:
        answer = owner.post(f"/v1/api-keys/{key['id']}/rotate", json=body)
        assert answer.status_code == 200, answer.text
        SECRETS.add(answer.json()["secret"])
        assert answer.json()["id"] == key["id"]
        assert answer.json()["secret"] not in texts
        texts.append(answer.json()["secret"])
    assert [session_of(anyone, text).status_code for text in texts[1:]] == [200, 200]
    answer = owner.post(f"/v1/api-keys/{key['id']}/rotate/", json={"grace_seconds": 0})
    SECRETS.add(answer.json()["secret"])
    for text in texts:
        problem(session_of(anyone, text), 401, "invalid_credentials")
    assert session_of(anyone, answer.json()["secret"]).json()["key"]["id"] == key["id"]


def test_a_revoked_key_is_refused_at_once_everywhere(anyone, owner, gateway, person, access_token):
    key = make_key(gateway, access_token)
    headers = {"Authorization": f"Bearer {key['secret']}"}
    paths = ["/api/auth/session", "/v1/api-keys", "/scraper/none"]
    # Every function is warm and has met the key.
    assert [anyone.get(path, headers=headers).status_code for path in paths] == [200, 200, 404]
    answer = owner.delete(f"/v1/api-keys/{key['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for path in paths:
        problem(anyone.get(path, headers=headers), 401, "invalid_credentials")
    problem(owner.delete(f"/v1/api-keys/{key['id']}"), 404, "not_found")
    problem(owner.get(f"/v1/api-keys/{key['id']}"), 404, "not_found")


def test_a_narrow_key_makes_no_wider_one(gateway, access_token):
    narrow = make_key(gateway, access_token, permissions=["keys:read"])
    with bearer(gateway, narrow["secret"]) as robot:
        assert robot.get("/v1/api-keys").status_code == 200
        problem(robot.post("/v1/api-keys", json={"name": "wide"}), 403, "permission_denied")


def test_keys_of_another_account_do_not_exist(gateway, access_token):
    key = make_key(gateway, access_token)
    with gateway.person().client() as stranger:
        path = f"/v1/api-keys/{key['id']}"
        problem(stranger.get(path), 404, "not_found")
        problem(stranger.patch(path, json={"name": "mine"}), 404, "not_found")
        problem(stranger.post(f"{path}/rotate", json={}), 404, "not_found")
        problem(stranger.delete(path), 404, "not_found")


# ---- What every route has in common


def test_liveness(anyone):
    answer = anyone.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    # No credential is needed, and none is looked at.
    assert anyone.get("/healthz", headers={"Authorization": "Bearer stale"}).status_code == 200


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_trailing_slash_makes_no_difference(anyone, owner, person, library, slash):
    for path in ["/healthz", "/.well-known/jwks.json"]:
        assert anyone.get(path + slash).status_code == 200
    for path in ["/api/auth/session", "/v1/api-keys", f"/scraper/{library.api_id}"]:
        assert owner.get(path + slash).status_code == 200
    body = {"email": person.email, "password": person.password}
    pair = remember(anyone.post("/api/auth/login" + slash, json=body).json())
    pair = remember(anyone.post("/api/auth/token/refresh" + slash, json={"refresh": pair["refresh"]}).json())
    made = owner.post("/v1/api-keys" + slash, json={"name": "slashes"}).json()
    SECRETS.add(made["secret"])
    assert owner.get(f"/v1/api-keys/{made['id']}{slash}").status_code == 200
    SECRETS.add(owner.post(f"/v1/api-keys/{made['id']}/rotate{slash}", json={}).json()["secret"])
    assert owner.delete(f"/v1/api-keys/{made['id']}{slash}").status_code == 204
    answer = owner.post(
        f"/scraper/{library.api_id}/login{slash}",
        json={"username": library.username, "password": library.password},
    )
    assert answer.status_code == 200, answer.text
    assert anyone.post("/api/auth/logout" + slash, json={"refresh": pair["refresh"]}).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/auth/login/", "POST"),
        ("DELETE", "/api/auth/token/refresh", "POST"),
        ("GET", "/api/auth/logout", "POST"),
        ("POST", "/api/auth/session", "GET"),
        ("PUT", "/v1/api-keys", "GET, POST"),
        ("POST", f"/v1/api-keys/{uuid.uuid4()}", "GET, PATCH, DELETE"),
        ("GET", f"/v1/api-keys/{uuid.uuid4()}/rotate", "POST"),
        ("POST", "/.well-known/jwks.json", "GET"),
        ("PATCH", "/healthz", "GET"),
    ],
)
def test_a_method_that_a_route_does_not_take(owner, method, path, allow):
    answer = owner.request(method, path)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allow


def test_a_method_that_an_endpoint_does_not_take(caller, library):
    answer = caller.get(f"/scraper/{library.api_id}/login")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST"


def test_where_there_is_nothing(anyone, caller, library):
    for path in ["/", "/v1/nowhere", "/scraper/a/b/c", "/api/auth", "/api/auth/nowhere"]:
        problem(caller.get(path), 404, "not_found")
        problem(anyone.get(path), 404, "not_found")
    for path in ["/nowhere", "/api/nowhere/at/all", "/scraper/nowhere"]:
        problem(caller.get(path), 404, "not_found")
        # Whether something is mounted there is told to those who may use it alone.
        problem(anyone.get(path), 401, "missing_credentials")
    problem(caller.post(f"/scraper/{library.api_id}/nowhere", json={}), 404, "not_found")
    problem(caller.post("/scraper/nowhere/login", json={}), 404, "not_found")


JSON = {"Content-Type": "application/json"}


def test_bodies_that_are_none(anyone, owner):
    for content in [b"", b'"text"', b"[]", b"null"]:
        answer = anyone.post("/api/auth/login/", content=content, headers=JSON)
        assert answer.status_code == 400, (content, answer.text)
        assert answer.json()["error_code"] in ("invalid_json", "invalid_request"), (content, answer.text)
    problem(anyone.post("/api/auth/login/", content=b"{", headers=JSON), 400, "invalid_json")
    body = problem(anyone.post("/api/auth/login/", json={"email": 7}), 400, "invalid_request")
    assert sorted(fault["field"] for fault in body["errors"]) == ["email", "password"]
    body = problem(owner.post("/v1/api-keys", json={"name": "", "rate_limit": 0}), 400, "invalid_request")
    assert sorted(fault["field"] for fault in body["errors"]) == ["name", "rate_limit"]


def test_a_body_that_is_no_text(anyone):
    skip_where("body-bytes")
    problem(anyone.post("/api/auth/login/", content=b"\xff", headers=JSON), 400, "invalid_json")


def test_bodies_of_another_type(anyone, owner, person):
    form = {"email": person.email, "password": person.password}
    problem(anyone.post("/api/auth/login/", data=form), 415, "unsupported_media_type")
    text = {"Content-Type": "text/plain"}
    problem(owner.post("/v1/api-keys", content=b'{"name": "k"}', headers=text), 415, "unsupported_media_type")


def test_a_body_that_is_too_large(anyone):
    skip_where("body-limit")
    answer = anyone.post("/api/auth/login/", json={"email": "x" * 7_000_000, "password": "y"})
    problem(answer, 413, "payload_too_large")


def test_letters_beyond_ascii_arrive(owner):
    name = "Schlüssel für Zoë – 鍵"
    made = owner.post("/v1/api-keys", json={"name": name}).json()
    SECRETS.add(made["secret"])
    assert owner.get(f"/v1/api-keys/{made['id']}").json()["name"] == name


# ---- Sites behind a login


def test_a_site_signed_in_to_and_called(caller, library):
    answer = library.login(caller)
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Latchkey-Session"] == "active"
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    SECRETS.add(body["encryption_key"])
    assert set(body) == {"data", "session_id", "encryption_key"}
    assert body["data"] == {"logged_in": True, "display_name": "librarian"}
    assert str(uuid.UUID(body["session_id"])) == body["session_id"]
    assert body["encryption_key"].startswith("gAAAAA")
    session = {"session_id": body["session_id"], "encryption_key": body["encryption_key"]}
    headers = {"X-Session-ID": body["session_id"], "X-Encryption-Key": body["encryption_key"]}
    search = {"search": "Père"}
    for answer in [
        caller.post(library.url("list_books"), json=search, headers=headers),
        caller.post(library.url("list_books"), json=search | session),
    ]:
        assert answer.status_code == 200, answer.text
        assert answer.headers["X-Latchkey-Session"] == "active"
        assert [book["title"] for book in answer.json()["data"]["books"]] == ["Le Père Goriot"]


def test_the_endpoints_say_what_they_need(caller, library):
    answer = caller.get(f"/scraper/{library.api_id}")
    assert answer.status_code == 200, answer.text
    text = answer.text.replace(" ", "")
    assert '"initiates_session":true' in text
    assert text.count('"depends_on_session":"login"') == 2


def test_a_site_needs_a_credential(anyone, library):
    problem(library.login(anyone), 401, "missing_credentials")


def test_a_wrong_password_at_the_site(caller, library):
    answer = library.login(caller, password="not the password")
    assert problem(answer, 422, "login_failed")["reason"] == "credentials_invalid"
    assert "not the password" not in answer.text


def test_a_call_without_a_session(caller, library):
    problem(caller.post(library.url("list_books")), 400, "session_required", SESSION_REQUIRED)
    half = {"X-Session-ID": str(uuid.uuid4())}
    problem(caller.post(library.url("list_books"), headers=half), 400, "session_required", SESSION_REQUIRED)


def test_an_unknown_session_and_one_of_another_account(gateway, caller, library):
    session = library.session(caller)
    answer = caller.post(library.url("list_books"), headers=session | {"X-Session-ID": str(uuid.uuid4())})
    problem(answer, 404, "session_not_found", "Session not found")
    other = gateway.person("pro")
    other.apply(DEFINITIONS / "django-admin.yaml", library.api_id, **{"https://library.example.com": os.environ["SITE_URL"]})
    with other.client() as stranger:
        answer = stranger.post(library.url("list_books"), headers=session)
        problem(answer, 404, "session_not_found", "Session not found")


def test_a_wrong_encryption_key(caller, library):
    session = library.session(caller)
    key = session["X-Encryption-Key"]
    flipped = key[:40] + ("A" if key[40] != "A" else "B") + key[41:]
    for wrong in [flipped, key[:-4], "gAAAAA", "none"]:
        answer = caller.post(library.url("list_books"), headers=session | {"X-Encryption-Key": wrong})
        problem(answer, 400, "invalid_session", INVALID_SESSION)
    assert caller.post(library.url("list_books"), headers=session).status_code == 200


def test_a_session_that_was_replaced(caller, library):
    old = library.session(caller)
    new = library.session(caller)
    assert new["X-Session-ID"] == old["X-Session-ID"]
    problem(caller.post(library.url("list_books"), headers=old), 400, "invalid_session", INVALID_SESSION)
    assert caller.post(library.url("list_books"), headers=new).status_code == 200


def test_a_session_that_the_site_ended(caller, library):
    session = library.session(caller)
    Library.end_sessions()
    answer = caller.post(library.url("list_books"), headers=session)
    problem(answer, 400, "session_expired")
    assert answer.headers["X-Latchkey-Session"] == "expired"


def test_three_logins_an_hour(caller, library):
    for _ in range(4):
        # Wrong input is no attempt.
        problem(caller.post(library.url("login"), json={"username": "librarian"}), 400, "invalid_request")
    for _ in range(3):
        problem(library.login(caller, password="wrong"), 422, "login_failed")
    answer = library.login(caller)
    problem(answer, 429, "login_rate_limited")
    assert 0 < int(answer.headers["Retry-After"]) <= 3600


def test_another_user_of_the_site_is_over_the_cap(caller, library):
    library.session(caller)
    answer = library.login(caller, "assistant", "a short walk by the lake")
    problem(answer, 403, "session_limit", "Auth session limit reached")


def list_books(client, library, session):
    return client.post(library.url("list_books"), headers=session)


def test_remembered_credentials_sign_in_anew(caller, library):
    answer = library.login(caller, remember="yes")
    assert problem(answer, 400, "invalid_request")["errors"] == [
        {"field": "remember", "message": "must be true or false"}
    ]
    session = library.session(caller, remember=True)
    Library.end_sessions()
    answer = list_books(caller, library, session)
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Latchkey-Session"] == "active"
    # Twice, and the three sign-ins of the hour are used up.
    Library.end_sessions()
    assert list_books(caller, library, session).status_code == 200
    Library.end_sessions()
    answer = list_books(caller, library, session)
    problem(answer, 429, "login_rate_limited")
    assert answer.headers["X-Latchkey-Session"] == "expired"


def test_cookies_of_a_browser_make_a_session(caller, library):
    with httpx.Client(base_url=os.environ["SITE_URL"], timeout=PATIENCE) as browser:
        form = browser.get("/admin/login/?next=/admin/")
        token = form.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        fields = {"csrfmiddlewaretoken": token, "username": library.username, "password": library.password}
        headers = {"Referer": f"{os.environ['SITE_URL']}/admin/login/"}
        assert browser.post("/admin/login/?next=/admin/", data=fields, headers=headers).status_code == 302
        host = urlsplit(os.environ["SITE_URL"]).hostname
        cookies = [f"{host}\tFALSE\t/\tFALSE\t0\t{name}\t{value}" for name, value in browser.cookies.items()]
    file = "\n".join(["# Netscape HTTP Cookie File", *cookies])

    foreign = "bank.example\tFALSE\t/\tTRUE\t0\tsid\tsecret"
    answer = caller.post(library.url("import"), json={"cookies": f"{file}\n{foreign}"})
    assert "secret" not in answer.text
    assert problem(answer, 400, "invalid_request")["errors"][0]["field"] == "cookies"
    answer = caller.post(library.url("import"), content=file, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    SECRETS.add(body["encryption_key"])
    assert body["data"] == {"logged_in": True}
    session = {"X-Session-ID": body["session_id"], "X-Encryption-Key": body["encryption_key"]}
    assert list_books(caller, library, session).status_code == 200
    Library.end_sessions()
    answer = caller.post(library.url("import"), json={"cookies": file, "username": "librarian"})
    problem(answer, 403, "session_limit")


def test_a_session_is_listed_and_ended_here_and_at_the_site(anyone, caller, library):
    def mine():
        answer = caller.get("/v1/sessions", params={"limit": 100})
        assert answer.status_code == 200, answer.text
        return [session for session in answer.json()["data"] if session["api_id"] == library.api_id]

    session = library.session(caller)
    (shown,) = mine()
    assert shown["id"] == session["X-Session-ID"]
    assert (shown["site_user"], shown["status"], shown["remembers"]) == ("l***", "active", False)
    path = f"/v1/sessions/{shown['id']}"
    problem(anyone.delete(path), 401, "missing_credentials")
    problem(caller.delete(path, headers={"X-Encryption-Key": "wrong"}), 400, "invalid_session", INVALID_SESSION)
    at_the_site = Library.sessions()
    answer = caller.delete(path, headers={"X-Encryption-Key": session["X-Encryption-Key"]})
    assert (answer.status_code, answer.headers["X-Latchkey-Session"]) == (204, "expired")
    assert Library.sessions() == at_the_site - 1
    problem(list_books(caller, library, session), 404, "session_not_found", "Session not found")
    problem(caller.delete(path), 404, "session_not_found", "Session not found")
    assert mine() == []


# ---- Mounted upstreams


@pytest.fixture(scope="module")
def mounted(person):
    person.apply("contacts.yaml", "contacts", **{"http://127.0.0.1:9000": os.environ["ECHO_URL"]})


@pytest.fixture
def contacts(gateway, mounted):
    return f"{gateway.url}/api/contacts"


def seen(answer):
    """What the upstream was sent."""
    assert answer.status_code == 200, answer.text
    told = answer.json()
    headers = {}
    for name, value in told["headers"]:
        assert name not in headers, f"{name} sent twice"
        headers[name] = value
    return told, headers


def raw(gateway, api_key, path):
    """A GET of a path as it stands: the client libraries would change it."""
    url = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=PATIENCE)
    connection.putrequest("GET", url.path + path, skip_accept_encoding=True)
    connection.putheader("Authorization", f"Bearer {api_key}")
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_method_path_query_and_body_go_on(contacts, client):
    told, _ = seen(client.get(f"{contacts}/?page=2&tag=a%20b&tag=c+d&empty=&flag&%C3%A9=%26"))
    assert (told["method"], told["target"]) == ("GET", "/crm/?page=2&tag=a%20b&tag=c+d&empty=&flag&%C3%A9=%26")
    told, headers = seen(client.put(f"{contacts}/caf%C3%A9/a%20b", json={"name": "Zoë"}))
    assert (told["method"], told["target"]) == ("PUT", "/crm/caf%C3%A9/a%20b")
    assert headers["content-type"] == "application/json"
    assert "Zo" in told["body"]
    told, _ = seen(client.delete(f"{contacts}/7"))
    assert (told["method"], told["target"], told["body"]) == ("DELETE", "/crm/7", "")
    told, headers = seen(client.post(f"{contacts}/form", data={"a": "1 2", "b": "ä"}))
    assert (told["body"], headers["content-type"]) == ("a=1+2&b=%C3%A4", "application/x-www-form-urlencoded")
    told, _ = seen(client.patch(contacts, json={}))
    assert (told["method"], told["target"]) == ("PATCH", "/crm")


def test_a_percent_sign_in_a_path_goes_on(contacts, caller):
    skip_where("percent")
    told, _ = seen(caller.get(f"{contacts}/50%25/%2541"))
    assert told["target"] == "/crm/50%25/%2541"


def test_status_and_body_of_the_upstream_are_untouched(contacts, client):
    for status in [201, 404, 409, 500, 503]:
        answer = client.post(f"{contacts}/?status={status}", json={})
        assert answer.status_code == status
        assert answer.json()["method"] == "POST"
        assert answer.headers["X-Upstream"] == "echo"


def test_the_identity_is_signed_for_this_upstream(anyone, contacts, caller, person, access_token):
    _, headers = seen(caller.get(f"{contacts}/1"))
    token = headers["x-latchkey-identity"]
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(
        token, published_key(anyone, token), algorithms=["EdDSA"], audience=os.environ["ECHO_URL"]
    )
    assert header["typ"] not in ("JWT", "at+jwt")
    assert header["kid"] != jwt.get_unverified_header(access_token)["kid"]
    assert person.id in claims.values()
    assert claims["exp"] - claims["iat"] == 60
    assert abs(claims["iat"] - time.time()) < 30
    problem(session_of(anyone, token), 401, "invalid_credentials")


def test_the_callers_own_secrets_stay_here(contacts, client, api_key):
    told, headers = seen(
        client.get(
            f"{contacts}/1",
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


def test_headers_that_act_on_the_gateways_origin_are_dropped(contacts, caller):
    answer = caller.get(f"{contacts}/?drop=1")
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
def test_paths_that_could_be_read_in_two_ways(gateway, contacts, api_key, rest):
    if "%0A" in rest:
        skip_where("newline")
    assert raw(gateway, api_key, f"/api/contacts{rest}")[0] == 400


def test_a_mount_needs_one_credential(anyone, contacts, api_key):
    headers = {"Authorization": f"Bearer {api_key}", "X-API-Key": api_key}
    problem(anyone.get(f"{contacts}/", headers=headers), 400, "multiple_credentials")
    problem(anyone.get(f"{contacts}/"), 401, "missing_credentials")


def test_the_gateways_routes_win_over_mounts(gateway, mounted, api_key):
    status, body = raw(gateway, api_key, "/api/auth/session")
    assert status == 200
    assert b'"api_key"' in body


# ---- Definitions by routes, and stored credentials


def test_an_api_is_made_given_its_credentials_and_deleted(gateway):
    """By a free account, for whom an upstream without a login is enough."""
    definition = f"""
openapi: 3.1.0
info: {{ title: Office, version: 1.0.0 }}
servers: [{{ url: "{os.environ["ECHO_URL"]}/office" }}]
x-mount: /office
security: [{{ gate: [], tracking: [] }}]
components:
  securitySchemes:
    gate: {{ type: apiKey, in: header, name: X-Gate-Key }}
    tracking: {{ type: apiKey, in: query, name: api_key }}
"""
    first, second = (f"value-{uuid.uuid4().hex}" for _ in range(2))
    SECRETS.update([first, second])
    with gateway.person("free").client() as client:
        answer = client.post("/v1/apis?id=office", content=definition, headers={"Content-Type": "application/yaml"})
        assert answer.status_code == 201, answer.text
        assert (answer.json()["id"], answer.json()["credentials"]) == ("office", None)
        problem(client.post("/v1/apis", json={"id": "office", "definition": definition}), 409, "conflict")
        problem(client.get("/office/7"), 409, "conflict")

        faults = problem(client.put("/v1/apis/office/credentials", json={"gate": f"{first}\n"}), 400, "invalid_request")
        assert first not in json.dumps(faults)
        for value in (first, second):
            set_ = client.put("/v1/apis/office/credentials/", json={"gate": value, "tracking": value})
            assert (set_.status_code, set_.content) == (204, b"")
            sent = client.get("/office/7?api_key=mine&a=%2F", headers={"X-Gate-Key": "mine"})
            told, headers = seen(sent)
            assert (told["target"], headers["x-gate-key"]) == (f"/office/7?a=%2F&api_key={value}", value)
        shown = client.get("/v1/apis/office").json()
        assert shown["credentials"]["names"] == ["gate", "tracking"]
        assert first not in json.dumps(shown) and second not in json.dumps(shown)
        listed = client.get("/v1/apis").json()["data"]
        assert [(api["id"], api["mount"]) for api in listed] == [("office", "/office")]

        assert client.delete("/v1/apis/office/credentials").status_code == 204
        problem(client.get("/office/7"), 409, "conflict")
        assert client.delete("/v1/apis/office").status_code == 204
        problem(client.get("/v1/apis/office"), 404, "not_found")
        problem(client.get("/office/7"), 404, "not_found")
        sign_in = (DEFINITIONS / "django-admin.yaml").read_text()
        problem(client.post("/v1/apis", json={"definition": sign_in}), 403, "plan_required")


def test_the_schema_of_definitions_is_for_everyone(anyone):
    answer = anyone.get("/v1/definition.schema.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/schema+json")
    assert answer.json() == json.loads((DEFINITIONS.parent / "definition.schema.json").read_text())
