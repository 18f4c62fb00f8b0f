"""Django's admin through the gateway: sign in, read, write, and every way a session ends."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx

from conftest import Library, problem

SESSION_REQUIRED = "This endpoint requires session_id and encryption_key. Call the login endpoint first."
INVALID_SESSION = "Invalid session or encryption key"


def titles(answer):
    assert answer.status_code == 200, answer.text
    return [book["title"] for book in answer.json()["data"]["books"]]


def test_login_gives_a_session_and_its_key(library, client):
    answer = library.login(client)
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Latchkey-Session"] == "active"
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == {"data", "session_id", "encryption_key"}
    assert body["data"] == {"logged_in": True, "display_name": "librarian"}
    assert str(uuid.UUID(body["session_id"])) == body["session_id"]
    assert body["encryption_key"].startswith("gAAAAA")


def test_rows_of_the_html_come_as_json(library, client):
    answer = client.post(library.url("list_books"), headers=library.session(client))
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Latchkey-Session"] == "active"
    assert answer.json()["data"]["books"][:3] == [
        {
            "id": "1",
            "title": "Middlemarch",
            "author": "George Eliot",
            "year": "1871",
            "url": "/admin/library/book/1/change/",
        },
        {
            "id": "2",
            "title": "Kim & Co. <abridged>",
            "author": "Rudyard Kipling",
            "year": "1901",
            "url": "/admin/library/book/2/change/",
        },
        {
            "id": "3",
            "title": "Le Père Goriot",
            "author": "Honoré de Balzac",
            "year": "1835",
            "url": "/admin/library/book/3/change/",
        },
    ]


def test_an_input_reaches_the_query_encoded(library, client):
    session = library.session(client)
    for search, found in [("Kim & Co.", ["Kim & Co. <abridged>"]), ("Père", ["Le Père Goriot"]), ("a&q=Kim", [])]:
        answer = client.post(library.url("list_books"), json={"search": search}, headers=session)
        assert titles(answer) == found, search


def test_session_in_the_body_does_as_well(library, client):
    session = library.session(client)
    answer = client.post(
        library.url("list_books"),
        json={
            "session_id": session["X-Session-ID"],
            "encryption_key": session["X-Encryption-Key"],
            "search": "Middlemarch",
        },
    )
    assert titles(answer) == ["Middlemarch"]


def test_a_row_is_added_through_the_form(library, client):
    session = library.session(client)
    title = f'"Quoted" & <tagged> = 100% – {uuid.uuid4()}'
    answer = client.post(
        library.url("add_book"),
        json={"title": title, "author": "N. N. & Søn", "year": 1999},
        headers=session,
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]
    assert (told["message"], told["faults"]) == (f"The book “{title}” was added successfully.", [])
    listed = client.post(library.url("list_books"), json={"search": title[-36:]}, headers=session)
    assert titles(listed) == [title]
    assert listed.json()["data"]["books"][0]["author"] == "N. N. & Søn"


def test_what_the_site_says_of_a_form_comes_back(library, client):
    session = library.session(client)
    answer = client.post(
        library.url("add_book"), json={"title": " ", "author": "N. N.", "year": 1999}, headers=session
    )
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"data": {"message": None, "faults": ["This field is required."]}}


def test_wrong_inputs_are_told_all_at_once(library, client):
    session = library.session(client)
    answer = client.post(
        library.url("add_book"), json={"title": "x" * 201, "year": "soon"}, headers=session
    )
    body = problem(answer, 400, "invalid_request")
    assert sorted(fault["field"] for fault in body["errors"]) == ["author", "title", "year"]


def test_many_calls_at_once_share_a_session(library, client, api_key):
    session = library.session(client)
    headers = session | {"Authorization": f"Bearer {api_key}"}

    def call(_):
        return httpx.post(library.url("list_books"), headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(24))) == [200] * 24


def test_wrong_password(library, client):
    answer = library.login(client, password="not the password")
    body = problem(answer, 422, "login_failed")
    assert body["reason"] == "credentials_invalid"
    assert "not the password" not in answer.text


def test_the_site_ends_the_session(library, client):
    session = library.session(client)
    Library.end_sessions()
    answer = client.post(library.url("list_books"), headers=session)
    problem(answer, 400, "session_expired")
    assert answer.headers["X-Latchkey-Session"] == "expired"


def test_signing_in_again_kills_the_old_key(library, client):
    old = library.session(client)
    Library.end_sessions()
    new = library.session(client)
    assert new["X-Session-ID"] == old["X-Session-ID"]
    assert new["X-Encryption-Key"] != old["X-Encryption-Key"]
    answer = client.post(library.url("list_books"), headers=old)
    problem(answer, 400, "invalid_session", INVALID_SESSION)
    assert "Middlemarch" in titles(client.post(library.url("list_books"), headers=new))


def test_the_fourth_login_within_the_hour(library, client):
    for _ in range(3):
        problem(library.login(client, password="wrong"), 422, "login_failed")
    answer = library.login(client)
    problem(answer, 429, "login_rate_limited")
    assert 0 < int(answer.headers["Retry-After"]) <= 3600


def test_wrong_input_is_no_attempt(library, client):
    for _ in range(4):
        problem(client.post(library.url("login"), json={"username": "librarian"}), 400, "invalid_request")
    assert library.login(client).status_code == 200


def test_another_user_of_the_site_is_over_the_cap(library, client):
    library.session(client)
    answer = library.login(client, "assistant", "a short walk by the lake")
    problem(answer, 403, "session_limit", "Auth session limit reached")


def test_without_a_session(library, client):
    problem(client.post(library.url("list_books")), 400, "session_required", SESSION_REQUIRED)
    half = {"X-Session-ID": str(uuid.uuid4())}
    answer = client.post(library.url("list_books"), headers=half)
    problem(answer, 400, "session_required", SESSION_REQUIRED)


def test_an_unknown_session(library, client):
    session = library.session(client) | {"X-Session-ID": str(uuid.uuid4())}
    answer = client.post(library.url("list_books"), headers=session)
    problem(answer, 404, "session_not_found", "Session not found")


def test_a_wrong_encryption_key(library, client):
    session = library.session(client)
    key = session["X-Encryption-Key"]
    flipped = key[:40] + ("A" if key[40] != "A" else "B") + key[41:]
    for wrong in [flipped, key[:-4], "gAAAAA", "none"]:
        answer = client.post(library.url("list_books"), headers=session | {"X-Encryption-Key": wrong})
        problem(answer, 400, "invalid_session", INVALID_SESSION)


def test_the_endpoints_say_what_they_need(library, client):
    answer = client.get(f"{library.gateway.url}/scraper/{library.api_id}")
    assert answer.status_code == 200, answer.text
    text = answer.text.replace(" ", "")
    assert '"initiates_session":true' in text
    assert text.count('"depends_on_session":"login"') == 2


def test_an_unknown_endpoint_and_an_unknown_api(library, client):
    problem(client.post(library.url("remove_book")), 404, "not_found")
    problem(client.post(f"{library.gateway.url}/scraper/nowhere/login", json={}), 404, "not_found")


def test_the_site_needs_a_credential(library, client):
    client.headers.pop("Authorization")
    answer = library.login(client)
    problem(answer, 401, "missing_credentials")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
