"""What people do at the console, as a newcomer does it: by reading the screen."""

import httpx
from conftest import PATIENCE, bearer


def who(gateway, credential):
    """What the gateway says of a credential."""
    return httpx.get(
        f"{gateway.url}/api/auth/session", headers={"Authorization": f"Bearer {credential}"}, timeout=PATIENCE
    )


def test_a_newcomer_gets_a_working_key(visit, gateway):
    visit.sign_in(gateway.person()).follow("Create a key")
    visit.fill("Name", "nightly import").press("Create the key")
    secret = visit.shown_once()
    assert who(gateway, secret).json()["key"]["name"] == "nightly import"
    if visit.with_scripts:
        visit.page.get_by_role("button", name="Copy").click()
        visit.page.get_by_role("button", name="Copied").wait_for()
        assert visit.page.evaluate("navigator.clipboard.readText()") == secret
    else:
        assert not visit.page.get_by_role("button", name="Copy").is_visible()
    visit.must_be_sound()
    assert secret not in visit.page.url
    visit.follow("I have kept it: back to the keys").says("nightly import")
    assert secret not in visit.page.content()


def test_a_key_is_changed_rotated_and_revoked(visit, gateway):
    person = gateway.person()
    with person.client() as client:
        old = client.post("/v1/api-keys", json={"name": "first"}).json()["secret"]
    visit.sign_in(person).follow("API keys").follow("first")
    visit.fill("Name", "").fill("Networks", "192.0.2.0/24\nnonsense")
    visit.page.locator("#name").evaluate("field => field.removeAttribute('required')")
    visit.press("Save").says("Name must not be empty.").says("Networks, entry 2:").must_be_sound()
    visit.fill("Name", "second").fill("Networks", "127.0.0.0/8").press("Save").says("The key is changed.")
    visit.choose("The old secret works on", "not at all").press("Rotate the key")
    new = visit.shown_once()
    assert [who(gateway, secret).status_code for secret in (old, new)] == [401, 200]
    visit.follow("Show this key").follow("Revoke this key…").must_be_sound()
    visit.press("Revoke it").says("The key is revoked")
    assert who(gateway, new).status_code == 401


def test_keys_are_filtered_as_one_types(visit, gateway):
    person = gateway.person()
    with person.client() as client:
        for name in ("apple", "pear"):
            client.post("/v1/api-keys", json={"name": name}).raise_for_status()
    visit.sign_in(person).follow("API keys")
    if visit.with_scripts:
        visit.fill("Filter this page", "APP")
        assert visit.page.locator("tbody tr:visible").count() == 1
    else:
        assert not visit.page.get_by_label("Filter this page").is_visible()
        assert visit.page.locator("tbody tr:visible").count() == 2


def test_a_deactivated_person_is_told_so(visit, gateway):
    person = gateway.person()
    visit.sign_in(person)
    gateway.operator("account", "deactivate", person.account_id)
    visit.open("/console/keys", status=403).says("This account is deactivated.").must_be_sound()


def test_signing_out_ends_it(visit, gateway):
    person = gateway.person()
    visit.sign_in(person).press("Sign out")
    assert visit.heading() == "Sign in"
    visit.open("/console/keys")
    assert visit.heading() == "Sign in"
