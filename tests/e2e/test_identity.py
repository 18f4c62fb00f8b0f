"""People, organizations and what they leave behind, as clients see it. Runs unchanged against each stack; see `run`."""

import uuid
from urllib.parse import urlsplit

import httpx
import pytest

from conftest import PATIENCE, SECRETS, bearer, problem, remember

NEW_PASSWORD = "seventeen otters cross the harbour"


def acting_in(account):
    return {"X-Latchkey-Account": account}


def session_of(gateway, credential, **headers):
    with bearer(gateway, credential) as client:
        return client.get("/api/auth/session", headers=headers)


def acts(client, **parameters):
    """The newest acts of the log, newest first."""
    answer = client.get("/v1/activity", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.fixture
def pair(gateway):
    """Two people, with a client for each."""
    people = gateway.person("pro"), gateway.person()
    clients = [person.client() for person in people]
    yield list(zip(people, clients, strict=True))
    for client in clients:
        client.close()


def make_organization(owner):
    answer = owner.post("/v1/organizations", json={"name": "Harbour"})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def join(organization, owner, guest, guests_email, role):
    invited = owner.post(f"/v1/organizations/{organization}/members", json={"email": guests_email, "role": role})
    assert invited.status_code == 202, invited.text
    (invitation,) = guest.get("/v1/invitations").json()["data"]
    accepted = guest.post(f"/v1/invitations/{invitation['id']}/accept")
    assert accepted.status_code in (200, 204), accepted.text


def test_a_team_has_keys_that_outlive_their_maker(gateway, pair):
    (jane, owner), (joe, guest) = pair
    organization = make_organization(owner)
    stranger = guest.get("/v1/api-keys", headers=acting_in(organization))
    problem(stranger, 403, "permission_denied")
    join(organization, owner, guest, joe.email, "admin")
    made = guest.post("/v1/api-keys", json={"name": "Deploy"}, headers=acting_in(organization))
    assert made.status_code == 201, made.text
    key = made.json()
    SECRETS.add(key["secret"])
    assert key["scope"] == {"type": "organization", "id": organization}
    who = session_of(gateway, key["secret"]).json()
    assert (who["actor"]["type"], who["user"]) == ("system", None)

    members = owner.get(f"/v1/organizations/{organization}/members").json()["data"]
    assert {member["id"]: member["role"] for member in members} == {jane.id: "owner", joe.id: "admin"}
    problem(guest.delete(f"/v1/organizations/{organization}/members/{jane.id}"), 403, "permission_denied")
    last = owner.delete(f"/v1/organizations/{organization}/members/{jane.id}")
    problem(last, 409, "conflict")
    removed = owner.delete(f"/v1/organizations/{organization}/members/{joe.id}")
    assert removed.status_code == 204, removed.text
    problem(guest.get("/v1/api-keys", headers=acting_in(organization)), 403, "permission_denied")
    assert session_of(gateway, key["secret"]).status_code == 200
    owner.headers.update(acting_in(organization))
    logged = [entry["action"] for entry in acts(owner)]
    assert logged.index("member.removed") < logged.index("key.created")


def test_an_invitation_tells_nobody_whether_an_account_exists(pair):
    (_, owner), (joe, _) = pair
    organization = make_organization(owner)
    path = f"/v1/organizations/{organization}/members"
    known, unknown = [
        owner.post(path, json={"email": email, "role": "viewer"})
        for email in (joe.email, f"{uuid.uuid4().hex}@example.org")
    ]
    # Nothing but what was sent, and an id made of it.
    told = [(answer.status_code, answer.json() | {"id": None, "email": None}) for answer in (known, unknown)]
    for _, body in told:
        assert body.pop("created_at") < body.pop("expires_at")
    assert told[0] == told[1]


def test_a_workspace_has_keys_of_its_own(gateway, pair):
    (_, owner), _ = pair
    organization = make_organization(owner)
    workspaces = f"/v1/organizations/{organization}/workspaces"
    made = owner.post(workspaces, json={"name": "Docks"})
    assert made.status_code == 201, made.text
    workspace = made.json()["id"]
    scope = {"type": "workspace", "id": workspace}
    key = owner.post("/v1/api-keys", json={"name": "k", "scope": scope}, headers=acting_in(organization)).json()
    SECRETS.add(key["secret"])
    assert key["secret"].startswith("pk_live_lk_")
    assert session_of(gateway, key["secret"]).json()["workspace"]["id"] == workspace
    assert owner.delete(f"{workspaces}/{workspace}").status_code == 204
    problem(session_of(gateway, key["secret"]), 401, "invalid_credentials")


def test_a_personal_token_acts_for_a_day_and_makes_no_successor(gateway, pair):
    (jane, owner), _ = pair
    made = owner.post("/v1/tokens", json={"name": "notebook"})
    assert made.status_code == 201, made.text
    token = made.json()
    SECRETS.add(token["token"])
    assert session_of(gateway, token["token"]).json()["method"] == "personal_token"
    listed = owner.get("/v1/tokens").json()["data"]
    assert [(entry["id"], "token" in entry) for entry in listed] == [(token["id"], False)]
    with bearer(gateway, token["token"]) as client:
        problem(client.post("/v1/tokens", json={"name": "next"}), 403, "permission_denied")
    assert owner.delete(f"/v1/tokens/{token['id']}").status_code == 204
    problem(session_of(gateway, token["token"]), 401, "invalid_credentials")
    problem(owner.delete(f"/v1/tokens/{token['id']}"), 404, "not_found")


def test_a_changed_password_ends_every_other_session(gateway, pair):
    (jane, owner), _ = pair
    other = jane.tokens()
    weak = owner.post("/api/auth/password/", json={"current_password": jane.password, "new_password": "password123"})
    problem(weak, 400, "invalid_request")
    body = {"current_password": jane.password, "new_password": NEW_PASSWORD}
    changed = owner.post("/api/auth/password/", json=body)
    assert changed.status_code == 204, changed.text
    problem(session_of(gateway, other["access"]), 401, "invalid_credentials")
    assert owner.get("/api/auth/session").status_code == 200
    problem(jane.login(), 401, "invalid_credentials")
    remember(jane.login(NEW_PASSWORD).json())
    sessions = owner.get("/api/auth/sessions").json()["data"]
    assert [session["current"] for session in sessions].count(True) == 1
    assert owner.post("/api/auth/logout-everywhere/").status_code == 204
    problem(owner.get("/api/auth/session"), 401, "invalid_credentials")


def test_the_console_signs_in_with_a_cookie_for_its_own_pages_only(gateway, pair):
    (jane, _), _ = pair
    address = urlsplit(gateway.url)
    origin = {"Origin": f"{address.scheme}://{address.netloc}", "Sec-Fetch-Site": "same-origin"}
    form = {"email": jane.email, "password": jane.password}
    with httpx.Client(base_url=gateway.url, timeout=PATIENCE) as browser:
        foreign = browser.post("/console/sign-in", data=form, headers={"Sec-Fetch-Site": "cross-site"})
        assert foreign.status_code == 403, foreign.text
        assert "Set-Cookie" not in foreign.headers
        answer = browser.post("/console/sign-in", data=form, headers=origin)
        assert answer.status_code == 303, answer.text
        cookie = answer.headers["Set-Cookie"]
        assert all(part in cookie for part in ("cloud.sso=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"))
        value = cookie.split(";")[0]
        SECRETS.add(value.removeprefix("cloud.sso="))
        browser.cookies.clear()
        page = browser.get("/console", headers={"Cookie": value})
        assert page.status_code == 200 and jane.email in page.text
        assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
        # Each function's pages, each behind a route of its own.
        for path, heading in [
            ("/console/keys/new", "Create a key"),
            ("/console/apis", "APIs"),
            ("/console/apis/new", "Create an API"),
            ("/console/sessions", "Upstream sessions"),
            ("/console/password", "Change the password"),
        ]:
            shown = browser.get(path, headers={"Cookie": value})
            assert shown.status_code == 200 and f"<h1>{heading}</h1>" in shown.text, f"{path}: {shown.text}"
        key = {"name": "from the console"}
        problem(browser.post("/v1/api-keys", json=key, headers={"Cookie": value}), 403, "cross_site_request")
        made = browser.post("/v1/api-keys", json=key, headers={"Cookie": value} | origin)
        assert made.status_code == 201, made.text
        SECRETS.add(made.json()["secret"])
        assert browser.post("/console/sign-out", headers={"Cookie": value} | origin).status_code == 303
        problem(browser.get("/api/auth/session", headers={"Cookie": value}), 401, "invalid_credentials")


def test_deactivation_holds_at_once_and_is_undone_whole(gateway, pair):
    (jane, owner), _ = pair
    made = owner.post("/v1/api-keys", json={"name": "k"}).json()
    SECRETS.add(made["secret"])
    gateway.operator("account", "deactivate", jane.account_id)
    for credential in (made["secret"], owner.headers["Authorization"].removeprefix("Bearer ")):
        problem(session_of(gateway, credential), 403, "account_deactivated")
    gateway.operator("account", "activate", jane.account_id)
    assert session_of(gateway, made["secret"]).status_code == 200
    assert owner.get("/v1/api-keys").json()["data"][0]["id"] == made["id"]


def test_usage_and_activity_tell_what_a_key_did(gateway, pair):
    (jane, owner), _ = pair
    made = owner.post("/v1/api-keys", json={"name": "counted", "permissions": ["keys:read"]}).json()
    SECRETS.add(made["secret"])
    with bearer(gateway, made["secret"]) as client:
        for _ in range(3):
            assert client.get("/v1/api-keys").status_code == 200
        problem(client.get("/v1/activity"), 403, "permission_denied")
    usage = owner.get("/v1/usage", params={"key": made["id"], "days": 2}).json()
    assert usage["total"] == {"requests": 4, "client_errors": 1, "server_errors": 0}, usage
    assert sum(day["requests"] for day in usage["data"]) == 4
    assert sum(day["client_errors"] for day in usage["data"]) == 1
    (entry,) = [entry for entry in acts(owner) if entry["action"] == "key.created"]
    assert entry["target"]["id"] == made["id"] and entry["actor"] == {"type": "user", "id": jane.id}
    assert entry["outcome"] and entry["request_id"] and entry["ip"]
    assert [entry["key"] for entry in acts(owner, key=made["id"])][:1] == [made["id"]]


def test_whoever_finds_a_key_can_end_it(gateway, pair):
    (_, owner), _ = pair
    made = owner.post("/v1/api-keys", json={"name": "leaked"}).json()
    SECRETS.add(made["secret"])
    for _ in range(2):
        answer = httpx.post(f"{gateway.url}/v1/api-keys/report", json={"key": made["secret"]}, timeout=PATIENCE)
        assert answer.status_code == 204, answer.text
    problem(session_of(gateway, made["secret"]), 401, "invalid_credentials")
