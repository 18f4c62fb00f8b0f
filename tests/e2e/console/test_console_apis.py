"""Definitions written, checked and tried at the console, by reading the screen."""

import json
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import SECRETS

DEMO = Path(__file__).resolve().parents[3] / "infra" / "demo-site" / "demo.yaml"
OPENAPI = {
    "openapi": "3.0.3",
    "info": {"title": "Things <b>", "version": "7"},
    "servers": [{"url": "https://things.example.com/v1"}],
    "security": [{"key": []}],
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
}


@pytest.fixture(scope="module")
def site():
    """The demo site of `latchkey local`, and who may sign in there."""
    demo = json.loads(Path(os.environ["LATCHKEY_READY"]).read_text().splitlines()[0])["demo"]
    SECRETS.add(demo["password"])
    return demo


def definition_of(site):
    return DEMO.read_text().replace("127.0.0.1:3001", urlsplit(site["site_url"]).netloc)


def test_a_newcomer_goes_from_a_definition_to_a_called_endpoint(visit, gateway, site):
    visit.sign_in(gateway.person("pro")).follow("APIs").must_be_sound()
    visit.follow("Create an API").must_be_sound()
    visit.follow("A blank definition").must_be_sound()
    visit.fill("Id", "mail").fill("Definition", definition_of(site)).press("Create the API")
    visit.says("The API is made.").must_be_sound()
    visit.follow("Try it").must_be_sound()
    visit.fill("username", site["username"]).fill("password", site["password"]).press("Sign in")
    visit.says("Active").says("logged_in").must_be_sound()
    key = visit.page.locator("input[name=encryption_key]").first.input_value()
    SECRETS.add(key)
    visit.choose("Endpoint", "get_inbox (needs a session)").press("Choose").press("Call it")
    visit.page.get_by_text("Headers and body").first.click()
    visit.says("cookie: ••••").says('"subject"').must_be_sound()
    for secret in (key, site["password"]):
        assert secret not in visit.page.url and secret not in visit.text()
    visit.follow("Upstream sessions").says("mail").must_be_sound()
    with visit.page.expect_navigation():
        visit.page.get_by_role("link", name=re.compile("^End…")).click()
    visit.must_be_sound()
    visit.press("End it").says("The session is ended").says("Nobody is signed in at any site.")
    visit.open("/console/apis/mail").follow("Delete this API…").must_be_sound()
    visit.press("Delete it").says("There are no APIs yet.")


def test_faults_are_told_as_one_types_or_asks(visit, gateway, site):
    visit.sign_in(gateway.person("pro")).open("/console/apis/new?from=form")
    broken = definition_of(site).replace("method: POST", "method: FETCH", 1)
    visit.fill("Definition", broken)
    if not visit.with_scripts:
        visit.press("Check it")
    visit.page.locator("#found li").first.wait_for()
    visit.says("One thing has to be mended:").must_be_sound()
    assert visit.page.get_by_label("Definition", exact=True).input_value() == broken
    line = broken.split("method: FETCH")[0].count("\n") + 1
    visit.says(f"Line {line}, column ")
    if visit.with_scripts:
        visit.page.locator("#found a").first.click()
        chosen = "({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd)"
        assert "FETCH" in visit.page.locator("#definition").evaluate(chosen)
        visit.fill("Definition", definition_of(site))
        visit.page.locator("#found .well").wait_for()
    visit.fill("Definition", broken).press("Create the API").says("Nothing was changed").must_be_sound()


def test_an_openapi_file_becomes_a_mount(visit, gateway, tmp_path):
    file = tmp_path / "things.json"
    file.write_text(json.dumps(OPENAPI))
    visit.sign_in(gateway.person()).open("/console/apis/new").says("free plan")
    visit.follow("An OpenAPI file that you have").must_be_sound()
    visit.press("Convert it").says("OpenAPI file must not be empty.").must_be_sound()
    visit.page.get_by_label("Or choose the file").set_input_files(file)
    visit.fill("Path of the gateway", "/api/things").press("Convert it")
    visit.says("nothing is made yet").must_be_sound()
    visit.press("Create the API").says("The API is made.")
    assert visit.heading() == "Things <b>"
    visit.follow("Store credentials").must_be_sound()
    visit.fill("key", "a-value-of-the-visitor").press("Store them").says("Stored for key")
    assert "a-value-of-the-visitor" not in visit.page.content()
    visit.follow("Remove the stored credentials…").must_be_sound()
    visit.press("Remove them").says("None are stored.")
