"""Every page of the console in a real browser: whom it shuts out, what it weighs, what moves, what it shows of text."""

import uuid

import pytest
from conftest import bearer

MARKUP = "<img src=x onerror=alert(1)> & \"Co\""
# In bytes, all of what the first page brings.
WEIGHT = 60_000


@pytest.fixture(scope="module")
def town(gateway):
    """The owner of an organization that has something of everything."""
    owner = gateway.person("pro")
    with owner.client() as client:
        made = client.post("/v1/organizations", json={"name": MARKUP}).raise_for_status().json()
        client.headers["X-Latchkey-Account"] = made["id"]
        client.post(f"/v1/organizations/{made['id']}/workspaces", json={"name": MARKUP}).raise_for_status()
        invitation = {"email": f"{uuid.uuid4().hex}@example.org", "role": "viewer"}
        client.post(f"/v1/organizations/{made['id']}/members", json=invitation).raise_for_status()
        client.post("/v1/tokens", json={"name": MARKUP}).raise_for_status()
        keys = [client.post("/v1/api-keys", json={"name": name}).raise_for_status().json() for name in (MARKUP, "old")]
        for _ in range(3):
            with bearer(gateway, keys[0]["secret"]) as program:
                program.get("/v1/api-keys").raise_for_status()
    return owner, made["id"]


def test_every_page_is_sound(visit, town):
    owner, account = town
    known = visit.sign_in(owner).walk(f"/console?account={account}")
    assert len(known) >= 8, known


def test_the_first_page_is_light(visit, gateway):
    weights = {}
    visit.page.on("response", lambda answer: weights.update({answer.url: len(answer.body())}))
    visit.open("/console/sign-in").must_be_sound()
    assert 0 < sum(weights.values()) < WEIGHT, weights
    weights.clear()
    visit.sign_in(gateway.person())
    assert 0 < sum(weights.values()) < WEIGHT, weights


def test_a_stale_cookie_leads_to_the_form_and_back(visit, gateway):
    visit.sign_in(gateway.person())
    person = gateway.person()
    visit.page.context.clear_cookies()
    visit.open("/console/keys?done=")
    assert visit.heading() == "Sign in"
    visit.fill("E-mail address", person.email).fill("Password", "not this one").press("Sign in")
    visit.says("The e-mail address or the password is wrong.").must_be_sound()
    assert visit.page.get_by_label("E-mail address").input_value() == person.email
    visit.fill("Password", person.password).press("Sign in")
    assert visit.heading() == "API keys"
