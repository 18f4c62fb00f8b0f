"""docs/definitions/openid.yaml against a Flask-AppBuilder site whose users sign in at a provider on another host."""

import os
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import Api, apply_example, problem


@pytest.fixture
def contacts(person):
    data = Path(os.environ["OPENID_DATA"])
    provider = (data / "provider_url").read_text()
    # The list of hosts names the provider first, without a scheme.
    replacements = {
        "https://contacts.example.com": os.environ["OPENID_URL"],
        "https://id.example.com": provider,
        "id.example.com": urlsplit(provider).netloc,
    }
    return Api(person.gateway, apply_example(person, "openid", **replacements), "ann", "a kettle on the old stove")


def test_who_signed_in_and_what_there_is(contacts, program):
    answer = contacts.login(program)
    session = contacts.session_of(answer)
    assert answer.json()["data"] == {"logged_in": True, "display_name": "Ann Nün"}
    assert contacts.call(program, "list_contacts", session)["contacts"][:2] == [
        {"name": "Kim & Co. <import>", "note": '"Ring" twice'},
        {"name": "Søren Ångström", "note": "&amp; > &"},
    ]


def test_a_wrong_password(contacts, program):
    answer = contacts.login(program, password="not this one")
    assert problem(answer, 422, "login_failed")["reason"] == "credentials_invalid"


def test_a_contact_is_added_through_the_form(contacts, program):
    session = contacts.session(program)
    name, note = f'"Grüße" & <b> {uuid.uuid4().hex}', "100% \\ 'x' {{y}} 你好"
    told = contacts.call(program, "add_contact", session, name=name, note=note)
    assert told == {"message": "Added Row", "faults": []}
    found = contacts.call(program, "list_contacts", session, name=name[-32:])
    assert found["contacts"] == [{"name": name, "note": note}]


def test_the_site_shuts_a_user_out(contacts, program):
    session = contacts.session(program)
    contacts.call(program, "list_contacts", session)
    try:
        set_active(False)
        answer = program.post(contacts.url("list_contacts"), headers=session)
        problem(answer, 400, "session_expired")
        assert answer.headers["X-Latchkey-Session"] == "expired"
    finally:
        set_active(True)


def set_active(is_active):
    database = Path(os.environ["OPENID_DATA"]) / "site" / "site.sqlite3"
    with closing(sqlite3.connect(database, timeout=20)) as connection, connection:
        connection.execute("UPDATE ab_user SET active = ? WHERE username = 'ann'", [is_active])
