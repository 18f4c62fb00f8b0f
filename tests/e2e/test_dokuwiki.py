"""docs/definitions/dokuwiki.yaml against DokuWiki: forms that hold a token and more that must come back."""

import os
import uuid
from pathlib import Path

import httpx
import pytest

from conftest import PATIENCE, Api, apply_example, problem

TEXT = '"Grüße" & <b>Ångström</b>, 100% \\o/\n\n  * eins\n    * zwei\n\n{{{x}}} é 你好'


SITE = {"https://wiki.example.com": os.environ.get("DOKUWIKI_URL")}
PASSWORD = "a bench under the lime"


@pytest.fixture
def wiki(person):
    return Api(person.gateway, apply_example(person, "dokuwiki", **SITE), "ann", PASSWORD)


def test_who_signed_in(wiki, program):
    answer = wiki.login(program)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {"logged_in": True, "display_name": "Ann Nün"}


def test_a_wrong_password(wiki, program):
    answer = wiki.login(program, password="not this one")
    assert problem(answer, 422, "login_failed")["reason"] == "credentials_invalid"


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("$statusCode == 302", "$statusCode == 303", 'step="submit" status=302 unmet=0'),
        ("u: $inputs.username", "u: $inputs.username, x: $steps.form.outputs.x", "expression=$steps.form.outputs.x"),
    ],
)
def test_the_log_tells_the_writer_what_a_sign_in_ended_at(person, program, right, wrong, told):
    nothing = {"query: { do: login } }": "query: { do: login } }\n            outputs: { x: { css: .gone } }"}
    replacements = {right: wrong} | (nothing if "outputs.x" in wrong else {})
    api_id = apply_example(person, "dokuwiki", **SITE, **replacements)
    answer = Api(person.gateway, api_id, "ann", PASSWORD).login(program)
    assert problem(answer, 422, "login_failed")["reason"] == "unexpected_response"
    assert told in Path(os.environ["GATEWAY_LOG"]).read_text()


def test_a_page_is_written_and_read_and_stands_among_the_changes(wiki, program):
    session = wiki.session(program)
    page = f"notes:{uuid.uuid4().hex}"
    assert wiki.call(program, "read_page", session, page=page) == {"text": ""}
    told = wiki.call(program, "write_page", session, page=page, text=TEXT, summary="“first” & <last>")
    assert told["faults"] == []
    assert told["shown"][0] == "“Grüße” & <b>Ångström</b>, 100% \\o/"
    assert wiki.call(program, "read_page", session, page=page) == {"text": TEXT}
    [newest, *_] = wiki.call(program, "list_changes", session)["changes"]
    assert (newest["page"], newest["by"], newest["summary"]) == (page, "ann", "“first” & <last>")


def test_a_page_is_changed(wiki, program):
    session = wiki.session(program)
    page = f"notes:{uuid.uuid4().hex}"
    for text in ["one", "two\n", "& three"]:
        assert wiki.call(program, "write_page", session, page=page, text=text)["faults"] == []
        assert wiki.call(program, "read_page", session, page=page)["text"] == text


def test_the_site_forgets_whom_it_let_in(wiki, program):
    session = wiki.session(program)
    wiki.call(program, "list_changes", session)
    forget_everyone()
    answer = program.post(wiki.url("list_changes"), headers=session)
    problem(answer, 400, "session_expired")
    assert answer.headers["X-Latchkey-Session"] == "expired"
    assert wiki.call(program, "list_changes", wiki.session(program))["changes"] is not None


def test_a_write_without_the_session_at_the_site_writes_nothing(wiki, program):
    session = wiki.session(program)
    page = f"notes:{uuid.uuid4().hex}"
    forget_everyone()
    answer = program.post(wiki.url("write_page"), json={"page": page, "text": TEXT}, headers=session)
    problem(answer, 400, "session_expired")
    assert wiki.call(program, "read_page", wiki.session(program), page=page) == {"text": ""}


def test_the_cookies_of_a_browser_become_a_session(wiki, program):
    body = {"cookies": cookies_of_a_browser(), "username": "ann"}
    session = wiki.session_of(program.post(wiki.url("import"), json=body))
    page = f"notes:{uuid.uuid4().hex}"
    assert wiki.call(program, "write_page", session, page=page, text=TEXT)["faults"] == []
    assert wiki.call(program, "read_page", session, page=page) == {"text": TEXT}


def test_the_cookies_of_a_stranger_become_none(wiki, program):
    body = {"cookies": [{"name": "DokuWiki", "value": "made-up", "domain": "127.0.0.1", "path": "/"}]}
    answer = program.post(wiki.url("import"), json=body)
    assert problem(answer, 422, "login_failed")["reason"] == "credentials_invalid"


def test_a_session_that_ends_here_ends_at_the_site(wiki, program):
    forget_everyone()
    session = wiki.session(program)
    assert known_to_the_site() == 1
    one = f"{wiki.gateway.url}/v1/sessions/{session['X-Session-ID']}"
    assert program.delete(one, headers=session).status_code == 204
    assert known_to_the_site() == 0


def cookies_of_a_browser():
    """What a browser holds after a sign-in by hand, as its extensions export it."""
    with httpx.Client(base_url=os.environ["DOKUWIKI_URL"], timeout=PATIENCE) as browser:
        browser.get("/doku.php?do=login").raise_for_status()
        fields = {"sectok": "", "id": "start", "do": "login", "u": "ann", "p": PASSWORD}
        assert browser.post("/doku.php?id=start", data=fields).status_code == 302
        return [
            {"name": cookie.name, "value": cookie.value, "domain": cookie.domain, "path": cookie.path}
            for cookie in browser.cookies.jar
        ]


def known_to_the_site():
    """How many visitors PHP's sessions know by name."""
    sessions = (Path(os.environ["DOKUWIKI_DATA"]) / "sessions").iterdir()
    return sum('"user";s:3:"ann"' in file.read_text() for file in sessions)


def forget_everyone():
    """Takes what PHP keeps of the visitors, and the salt of DokuWiki's own cookie."""
    data = Path(os.environ["DOKUWIKI_DATA"])
    for file in [*(data / "sessions").iterdir(), *data.rglob("data/meta/_htcookiesalt*")]:
        file.unlink()
