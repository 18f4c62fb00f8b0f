"""What a real site's pages need: Django's admin read and written through its HTML, by clients of each kind."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx

from conftest import problem


def titles(answer):
    assert answer.status_code == 200, answer.text
    return [book["title"] for book in answer.json()["data"]["books"]]


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


def test_a_session_that_ends_here_ends_at_the_site(library, client):
    library.end_sessions()
    session = library.session(client)
    assert library.sessions() == 1
    one = f"{library.gateway.url}/v1/sessions/{session['X-Session-ID']}"
    assert client.delete(one, headers=session).status_code == 204
    assert library.sessions() == 0


def test_many_calls_at_once_share_a_session(library, client, api_key):
    session = library.session(client)
    headers = session | {"Authorization": f"Bearer {api_key}"}

    def call(_):
        return httpx.post(library.url("list_books"), headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(24))) == [200] * 24
