"""Sessions through real proxies, at a site that ends a session whose address changes."""

import json
import os
import socket
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

import outbound
from conftest import SECRETS, Api, bearer, problem
from roaming import PASSWORD

POOLS = outbound.pools(json.loads(os.environ.get("OUTBOUND_POOLS", "{}")))
SITE = os.environ.get("ROAMING_URL")
SECRETS.update(outbound.PASSWORDS.values())


@pytest.fixture
def running():
    """Starts the proxies of a pool; all are stopped afterwards."""
    started = []

    def start(pool):
        for proxy in POOLS[pool]:
            proxy.start()
            started.append(proxy)
        return {proxy.address: proxy for proxy in POOLS[pool]}

    yield start
    for proxy in started:
        proxy.stop()


@pytest.fixture
def client(api_key, gateway):
    with bearer(gateway, api_key) as client:
        yield client


@pytest.fixture
def roaming(person):
    """Puts the site in place behind a pool, as an API with sign-ins of its own."""

    def apply(pool, sticky="strict", user="settler", site=SITE):
        api_id = f"roaming-{uuid.uuid4().hex[:8]}"
        replacements = {"http://127.0.0.1:9100": site, "the-pool": pool, "sticky: strict": f"sticky: {sticky}"}
        person.apply("roaming.yaml", api_id, **replacements)
        return Api(person.gateway, api_id, user, PASSWORD)

    return apply


def sign_in(site, client):
    """The headers of a session, and the address that it began from."""
    answer = site.login(client)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    SECRETS.add(told["encryption_key"])
    headers = {"X-Session-ID": told["session_id"], "X-Encryption-Key": told["encryption_key"]}
    return headers, told["data"]["address"]


def test_a_session_leaves_by_the_address_that_it_began_from(roaming, client, running):
    proxies = running("home")
    for _ in range(4):
        site = roaming("home")
        session, address = sign_in(site, client)
        assert address in proxies
        for _ in range(3):
            told = site.call(client, "me", session)
            assert (told["user"], told["address"], told["for_the_proxy"]) == ("settler", address, [])
            by_name = f"1.1 {proxies[address].name} (tinyproxy" if proxies[address].kind == "tinyproxy" else ""
            assert (told["via"] or "").startswith(by_name)


def test_so_do_its_calls_in_parallel(roaming, client, running):
    running("home")
    site = roaming("home", "best_effort")
    session, address = sign_in(site, client)
    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(lambda _: site.call(client, "me", session), range(20)))
    assert {one["address"] for one in told} == {address}


def test_strictly_a_proxy_that_is_down_is_waited_for(roaming, client, running):
    proxies = running("pair")
    site = roaming("pair")
    session, address = sign_in(site, client)
    proxies[address].stop()
    for _ in range(2):
        problem(client.post(site.url("me"), headers=session), 502, "proxy_unavailable")
    proxies[address].start()
    assert site.call(client, "me", session)["address"] == address


def test_with_best_effort_the_next_proxy_is_taken_and_kept(roaming, client, running):
    proxies = running("pair")
    # This user may come from anywhere.
    site = roaming("pair", "best_effort", user="nomad")
    session, first = sign_in(site, client)
    proxies[first].stop()
    second = site.call(client, "me", session)["address"]
    assert second in proxies and second != first
    proxies[first].start()
    assert [site.call(client, "me", session)["address"] for _ in range(3)] == [second] * 3


def test_a_site_that_minds_the_address_ends_the_session(roaming, client, running):
    proxies = running("pair")
    site = roaming("pair", "best_effort")
    session, address = sign_in(site, client)
    proxies[address].stop()
    problem(client.post(site.url("me"), headers=session), 400, "session_expired")


# To a request in absolute form tinyproxy answers 401, as a site might: who that is from, nobody can tell.
@pytest.mark.parametrize(
    "pool, url", [("locked-tinyproxy", "https://127.0.0.1:9"), ("locked-microsocks", SITE)]
)
def test_a_proxy_that_refuses_the_password(roaming, client, running, pool, url):
    running(pool)
    site = roaming(pool, site=url)
    problem(client.post(site.url("where")), 502, "proxy_unavailable")
    problem(site.login(client), 502, "proxy_unavailable")


@pytest.mark.parametrize("pool", ["tinyproxy", "microsocks"])
def test_a_call_without_a_session(roaming, client, running, pool):
    proxies = running(pool)
    answer = client.post(roaming(pool).url("where"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["address"] in proxies


@pytest.mark.parametrize("pool", ["tinyproxy", "microsocks"])
def test_a_site_that_is_down_is_told_from_its_proxy(roaming, client, running, pool):
    running(pool)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    problem(client.post(roaming(pool, site=f"http://127.0.0.1:{port}").url("where")), 502, "upstream_error")


def test_a_site_with_tls_is_spoken_to_through_a_tunnel(roaming, client, running):
    proxies = running("tunnel")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen = []

        def listen():
            stream, peer = listener.accept()
            with stream:
                seen.append((peer[0], stream.recv(3)))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        site = roaming("tunnel", site=f"https://127.0.0.1:{listener.getsockname()[1]}")
        # The site breaks off: it has no certificate that anyone would trust.
        problem(client.post(site.url("where")), 502, "upstream_error")
        thread.join(20)
    # A TLS handshake, and nothing before it.
    assert seen == [(next(iter(proxies)), b"\x16\x03\x01")]


def test_a_proxy_that_makes_no_tunnel_to_such_a_port(roaming, client, running):
    running("tinyproxy")
    site = roaming("tinyproxy", site="https://127.0.0.1:9")
    problem(client.post(site.url("where")), 502, "proxy_unavailable")
