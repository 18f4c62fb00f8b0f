"""Runs last: what the other tests used as secrets must not stand in the gateway's log."""

import os
import sqlite3
from pathlib import Path

from conftest import SECRETS


def test_no_secret_in_the_log(gateway, api_key):
    log = Path(os.environ["GATEWAY_LOG"]).read_text()
    assert len(log.splitlines()) > 1, "the gateway logs no requests"
    with sqlite3.connect(os.environ["SITE_DATABASE"], timeout=20) as database:
        cookies = {row[0] for row in database.execute("SELECT session_key FROM django_session")}
    for secret in SECRETS | cookies:
        assert secret not in log
