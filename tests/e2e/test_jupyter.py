"""docs/definitions/jupyter.yaml against a Jupyter Server: a cookie that every write repeats in a header."""

import os
import time
import uuid
from pathlib import Path

import httpx
import pytest

from conftest import PATIENCE, Api, apply_example, problem

URL = os.environ.get("JUPYTER_URL")
OPERATOR = {"Authorization": "token the-service-manager"}


@pytest.fixture
def notebooks(person):
    api_id = apply_example(person, "jupyter", **{"https://notebooks.example.com": URL})
    return Api(person.gateway, api_id, "ann", "a window on the harbour")


def test_a_folder_comes_as_rows(notebooks, program):
    files = notebooks.call(program, "list_files", notebooks.session(program))["files"]
    assert {"name": "read me.txt", "path": "read me.txt", "kind": "file", "size": 25}.items() <= files[-1].items()


def test_text_goes_there_and_back_unchanged(notebooks, program):
    session = notebooks.session(program)
    read = notebooks.call(program, "read_file", session, name="read me.txt")
    assert read == {"text": "\"Ångström\" & <friends>\n"}
    name, text = f"100% & {uuid.uuid4().hex}.txt", "\"Grüße\" & <b>'s\r\n\\u00e9 {{x}} 你好\n"
    written = notebooks.call(program, "write_file", session, name=name, text=text)
    assert written == {"path": name, "size": len(text.encode())}
    assert notebooks.call(program, "read_file", session, name=name) == {"text": text}
    assert (Path(os.environ["JUPYTER_DATA"]) / "files" / name).read_bytes() == text.encode()


def test_a_wrong_password(notebooks, program):
    answer = notebooks.login(program, password="not this one")
    assert problem(answer, 422, "login_failed")["reason"] == "credentials_invalid"


def test_what_is_not_there_is_no_end_of_the_session(notebooks, program):
    session = notebooks.session(program)
    answer = program.post(notebooks.url("read_file"), json={"name": "none.txt"}, headers=session)
    assert problem(answer, 502, "upstream_error")["upstream_status"] == 404
    assert answer.headers["X-Latchkey-Session"] == "active"


def test_the_site_forgets_whom_it_let_in(notebooks, program):
    session = notebooks.session(program)
    notebooks.call(program, "list_files", session)
    restart_with_a_new_secret()
    answer = program.post(notebooks.url("list_files"), headers=session)
    problem(answer, 400, "session_expired")
    assert answer.headers["X-Latchkey-Session"] == "expired"
    assert notebooks.call(program, "list_files", notebooks.session(program))["files"]


def restart_with_a_new_secret():
    """Restarts the server without what signs its cookies, and waits until it answers again."""
    (Path(os.environ["JUPYTER_DATA"]) / "runtime" / "jupyter_cookie_secret").unlink()
    before = started()
    httpx.post(f"{URL}/api/shutdown", headers=OPERATOR, timeout=PATIENCE).raise_for_status()
    until = time.monotonic() + PATIENCE
    while started() in (None, before):
        assert time.monotonic() < until, "Jupyter Server did not come back"
        time.sleep(0.1)


def started():
    """When the server says that it started; `None` while there is none."""
    try:
        return httpx.get(f"{URL}/api/status", headers=OPERATOR, timeout=PATIENCE).json()["started"]
    except httpx.TransportError:
        return None
