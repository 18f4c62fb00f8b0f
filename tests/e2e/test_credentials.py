"""Every way that the README names to present a credential, with the clients' own means."""

import base64

import pytest

from conftest import CLIENTS, problem


@pytest.fixture(params=sorted(CLIENTS))
def stranger(request):
    with CLIENTS[request.param]() as client:
        yield client


def basic(key):
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def test_every_form_names_the_same_account(gateway, stranger, access_token, api_key):
    workspace_key = gateway.ready["keys"]["workspace"]
    forms = [
        ({"Authorization": f"Bearer {access_token}"}, "access_token", "user"),
        ({"Authorization": f"Bearer {api_key}"}, "api_key", "user"),
        ({"Authorization": f"Bearer {workspace_key}"}, "api_key", "system"),
        (basic(api_key), "api_key", "user"),
        (basic(workspace_key), "api_key", "system"),
        ({"X-API-Key": api_key}, "api_key", "user"),
    ]
    for headers, method, actor in forms:
        answer = stranger.get(f"{gateway.url}/api/auth/session", headers=headers)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["method"], answer.json()["actor"]["type"]) == (method, actor)
        assert gateway.ready["account_id"] in answer.text


def test_the_clients_own_basic_authentication(gateway, stranger, api_key):
    answer = stranger.get(f"{gateway.url}/api/auth/session", auth=(api_key, ""))
    assert answer.status_code == 200, answer.text


def test_a_revoked_key_is_refused_at_once(gateway, stranger, access_token):
    owner = {"Authorization": f"Bearer {access_token}"}
    made = stranger.post(f"{gateway.url}/v1/api-keys", json={"name": "short-lived"}, headers=owner).json()
    key = {"X-API-Key": made["secret"]}
    assert stranger.get(f"{gateway.url}/api/auth/session", headers=key).status_code == 200
    revoked = stranger.delete(f"{gateway.url}/v1/api-keys/{made['id']}", headers=owner)
    assert revoked.status_code == 204
    answer = stranger.get(f"{gateway.url}/api/auth/session", headers=key)
    problem(answer, 401, "invalid_credentials")
