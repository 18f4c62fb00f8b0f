"""What each function may do, where the emulator enforces the roles: no more is needed, and each part of it is."""

import json
import os
from contextlib import contextmanager

import httpx
import pytest

from conftest import PATIENCE, bearer, make_key, problem
from deployment import Deployment

DEPLOYMENT = Deployment.of(os.environ)


def test_the_roles_are_enforced():
    """Else the flows would prove nothing here: a role that may do nothing can do nothing."""
    with without("JwksRole", "dynamodb:BatchGetItem", of="JwksFunction"):
        told = DEPLOYMENT.invoke("JwksFunction", {"version": "2.0", "rawPath": "/.well-known/jwks.json"} | REQUEST)
        assert told["statusCode"] == 503


REQUEST = {
    "routeKey": "$default",
    "rawQueryString": "",
    "headers": {},
    "requestContext": {"http": {"method": "GET", "path": "/", "sourceIp": "127.0.0.1"}},
    "isBase64Encoded": False,
}


@contextmanager
def without(role, action, table=None, of=None):
    """A role without an action (on one table, where it is named), and the function `of` in new processes."""
    iam, resources = DEPLOYMENT.aws("iam"), DEPLOYMENT.resources()
    (policy,) = iam.list_role_policies(RoleName=resources[role])["PolicyNames"]
    whole = iam.get_role_policy(RoleName=resources[role], PolicyName=policy)["PolicyDocument"]
    less = json.loads(json.dumps(whole))
    taken = 0
    for statement in less["Statement"]:
        if table is None or str(statement["Resource"]).endswith(f"/{resources[table]}"):
            taken += statement["Action"].count(action)
            statement["Action"] = [kept for kept in statement["Action"] if kept != action]
    assert taken > 0, f"{role} has no {action}"
    less["Statement"] = [statement for statement in less["Statement"] if statement["Action"]]
    iam.put_role_policy(RoleName=resources[role], PolicyName=policy, PolicyDocument=json.dumps(less))
    try:
        with DEPLOYMENT.changed(of, LATCHKEY_LOG="info"):
            yield
    finally:
        iam.put_role_policy(RoleName=resources[role], PolicyName=policy, PolicyDocument=json.dumps(whole))


def denied(function, *words):
    """The cause of a function's last failure, which has to tell the operator what is denied."""
    cause = [line for line in DEPLOYMENT.logs(function) if line["level"] == "ERROR"][-1]["cause"]
    for word in ["AccessDenied", *words]:
        assert word in cause, cause


@pytest.mark.parametrize(
    ("name", "role", "path"),
    [
        ("Session", "SessionRole", "/api/auth/session"),
        ("Keys", "KeysRole", "/v1/api-keys"),
        ("Proxy", "ProxyRole", "/scraper/none"),
    ],
)
def test_a_function_that_may_not_use_the_key(gateway, api_key, name, role, path):
    with bearer(gateway, api_key) as client:
        was = client.get(path).status_code
        assert was in (200, 404)
        with without(role, "kms:Decrypt", of=f"{name}Function"):
            problem(client.get(path), 503, "unavailable")
            denied(name.lower(), "KMS")
        assert client.get(path).status_code == was


def test_a_login_that_may_not_use_the_key(gateway, person):
    with without("LoginRole", "kms:Decrypt", of="LoginFunction"):
        problem(person.login(), 503, "unavailable")
        denied("login", "KMS")
    assert person.login().status_code == 200


@pytest.mark.parametrize(
    ("role", "action", "table"),
    [
        ("LoginRole", "dynamodb:GetItem", "CredentialsTable"),
        ("LoginRole", "dynamodb:UpdateItem", "LimitsTable"),
        ("LoginRole", "dynamodb:PutItem", "LoginSessionsTable"),
    ],
)
def test_a_login_that_may_not_use_a_table(gateway, person, role, action, table):
    with without(role, action, table, of="LoginFunction"):
        problem(person.login(), 503, "unavailable")
        denied("login", action)
    assert person.login().status_code == 200


def test_a_part_that_is_missing_stops_what_needs_it_alone(gateway, access_token):
    with bearer(gateway, access_token) as client:
        with without("KeysRole", "dynamodb:PutItem", "KeysTable", of="KeysFunction"):
            problem(client.post("/v1/api-keys", json={"name": "none"}), 503, "unavailable")
            denied("keys", "dynamodb:PutItem")
            assert client.get("/v1/api-keys").status_code == 200
        assert make_key(gateway, access_token)["is_active"]


def test_the_rotation_needs_its_grant():
    with without("RotateRole", "dynamodb:PutItem", of="RotateFunction"):
        secrets, table = DEPLOYMENT.aws("dynamodb"), DEPLOYMENT.resources()["SecretsTable"]
        lost = secrets.get_item(TableName=table, Key={"purpose": {"S": "cursor"}})["Item"]
        secrets.delete_item(TableName=table, Key={"purpose": {"S": "cursor"}})
        with pytest.raises(AssertionError):
            DEPLOYMENT.invoke("RotateFunction", {})
        denied("rotate", "dynamodb:PutItem")
        secrets.put_item(TableName=table, Item=lost)
    assert DEPLOYMENT.invoke("RotateFunction", {}) == {"created": [], "rotated": []}


def test_what_was_taken_is_given_back(gateway):
    assert httpx.get(f"{gateway.url}/.well-known/jwks.json", timeout=PATIENCE).status_code == 200
