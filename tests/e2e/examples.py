"""Starts the sites of the definitions in docs/definitions; Django's admin is `Servers.sites`."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from servers import HERE, ROOT, free_port

SITES = HERE / "sites"
PYTHON = Path(os.environ.get("E2E_SITES_PYTHON", ROOT / "target" / "e2e-sites-venv" / "bin" / "python"))


def start(servers):
    """Starts every site, and gives the environment that tells the tests of them."""
    with ThreadPoolExecutor() as pool:
        told = list(pool.map(lambda site: start_one(servers, *site), STARTS.items()))
    return {name: value for site in told for name, value in site.items()}


def start_one(servers, name, start_site):
    data = servers.work / name
    data.mkdir()
    return {f"{name.upper()}_DATA": str(data), f"{name.upper()}_URL": start_site(servers, data)}


def appbuilder(servers, data):
    return start_python(servers, "appbuilder", SITE_DATA=data)


def openid(servers, data):
    """The site, and the provider at which its people sign in, each of which must know the other's address."""
    port = free_port()
    site, provider = data / "site", data / "provider"
    site.mkdir()
    provider.mkdir()
    url = start_python(servers, "openid", SITE_DATA=provider, CLIENT_URL=f"http://127.0.0.1:{port}")
    (data / "provider_url").write_text(url)
    told = {"SITE_DATA": site, "SITE_PORT": port, "PROVIDER_URL": url, "AUTHLIB_INSECURE_TRANSPORT": "1"}
    return start_python(servers, "appbuilder", "openid-site", **told)


def jupyter(servers, data):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    told = {"SITE_DATA": str(data), "SITE_PORT": str(port)}
    servers.start_and_ask("jupyter", [PYTHON, SITES / "jupyter.py"], f"{url}/api", told)
    return url


def dokuwiki(servers, data):
    command = [HERE / "debian", "php8.2-cli", "php8.2-xml"]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    told = {"SITE_DATA": str(data), "SITE_PORT": str(port), "PATH": f"{found}:{os.environ['PATH']}"}
    servers.start_and_ask("dokuwiki", [PYTHON, SITES / "dokuwiki.py"], f"{url}/doku.php", told)
    return url


def start_python(servers, program, name=None, **told):
    told = {key: str(value) for key, value in told.items()}
    return servers.start_and_read(name or program, [PYTHON, SITES / f"{program}.py"], told)


STARTS = {"appbuilder": appbuilder, "openid": openid, "jupyter": jupyter, "dokuwiki": dokuwiki}
