"""docs/definitions/appbuilder.yaml against the JSON API of a Flask-AppBuilder site: bearer token and refresh."""

import os
import sqlite3
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from conftest import PATIENCE, Api, apply_example, problem

SITE = {"https://contacts.example.com": os.environ.get("APPBUILDER_URL")}
PASSWORD = "a boat on the quiet lake"


@pytest.fixture
def contacts(person):
    return Api(person.gateway, apply_example(person, "appbuilder", **SITE), "ann", PASSWORD)


def test_contacts_come_as_they_are(contacts, program):
    listed = contacts.call(program, "list_contacts", contacts.session(program))
    assert listed["contacts"][:2] == [
        {"id": 1, "name": "Kim & Co. <import>", "note": '"Ring" twice'},
        {"id": 2, "name": "Søren Ångström", "note": "&amp; > &"},
    ]


def test_a_wrong_password(contacts, program):
    answer = contacts.login(program, password="not this one")
    assert problem(answer, 422, "login_failed")["reason"] == "credentials_invalid"


def test_a_contact_is_added(contacts, program):
    session = contacts.session(program)
    name, note = f'"Grüße" & <b> {uuid.uuid4().hex}', "100% \\ 'x' {{y}}\r\n你好"
    made = contacts.call(program, "add_contact", session, name=name, note=note)
    listed = contacts.call(program, "list_contacts", session)["contacts"]
    assert {"id": made["id"], "name": name, "note": note} in listed


def test_a_token_is_renewed_when_its_life_is_over(person, program):
    brief = apply_example(person, "appbuilder", **SITE, **{"expiresIn: 900": "expiresIn: 1"})
    contacts = Api(person.gateway, brief, "ann", PASSWORD)
    session = contacts.session(program)
    before, revoked = shown(), execute("SELECT COUNT(*) FROM shown_token WHERE revoked")
    until = time.monotonic() + PATIENCE
    while not shown()["refresh"] - before["refresh"]:
        assert time.monotonic() < until, "no call renewed the token"
        contacts.call(program, "list_contacts", session)
    # The site would have taken the old one: it was renewed before the call, not after a refusal.
    assert execute("SELECT COUNT(*) FROM shown_token WHERE revoked") == revoked


def test_a_token_that_the_site_no_longer_takes_is_renewed_and_the_call_sent_again(contacts, program):
    session = contacts.session(program)
    contacts.call(program, "list_contacts", session)
    execute("UPDATE shown_token SET revoked = 1 WHERE kind = 'access'")
    before, name = shown(), f"once {uuid.uuid4().hex}"
    made = contacts.call(program, "add_contact", session, name=name)
    assert len(shown()["access"] - before["access"]) == len(shown()["refresh"] - before["refresh"]) == 1
    listed = contacts.call(program, "list_contacts", session)["contacts"]
    assert [contact["id"] for contact in listed if contact["name"] == name] == [made["id"]]
    # The new token serves from now on.
    assert len(shown()["refresh"] - before["refresh"]) == 1


def test_many_calls_at_once_renew_a_token_once(contacts, program, api_key):
    session = contacts.session(program)
    contacts.call(program, "list_contacts", session)
    execute("UPDATE shown_token SET revoked = 1 WHERE kind = 'access'")
    before = shown()
    headers = session | {"Authorization": f"Bearer {api_key}"}

    def call(_):
        return httpx.post(contacts.url("list_contacts"), headers=headers, timeout=PATIENCE).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [200] * 8
    assert len(shown()["access"] - before["access"]) == 1


def test_the_site_takes_neither_token(contacts, program):
    session = contacts.session(program)
    contacts.call(program, "list_contacts", session)
    execute("UPDATE shown_token SET revoked = 1 WHERE kind = 'access'")
    # The refresh token is shown now, and a call later the site has revoked both.
    contacts.call(program, "list_contacts", session)
    execute("UPDATE shown_token SET revoked = 1")
    answer = program.post(contacts.url("list_contacts"), headers=session)
    problem(answer, 400, "session_expired")
    assert answer.headers["X-Latchkey-Session"] == "expired"


def test_the_site_shuts_a_user_out(contacts, program):
    session = contacts.session(program)
    contacts.call(program, "list_contacts", session)
    try:
        execute("UPDATE ab_user SET active = 0 WHERE username = 'ann'")
        answer = program.post(contacts.url("list_contacts"), headers=session)
        problem(answer, 400, "session_expired")
        assert answer.headers["X-Latchkey-Session"] == "expired"
    finally:
        execute("UPDATE ab_user SET active = 1 WHERE username = 'ann'")


def shown():
    """The tokens that the site has seen, by kind."""
    rows = execute("SELECT kind, jti FROM shown_token")
    return {kind: {jti for one, jti in rows if one == kind} for kind in ("access", "refresh")}


def execute(statement, *values):
    database = Path(os.environ["APPBUILDER_DATA"]) / "site.sqlite3"
    with closing(sqlite3.connect(database, timeout=20)) as connection, connection:
        return connection.execute(statement, values).fetchall()
