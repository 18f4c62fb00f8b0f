"""Serves the library's site on a free port and prints its URL when it is ready.

    SITE_DATA=DIR [SITE_ADDRESS=127.0.0.1] python serve.py
"""

import os
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

sys.path.insert(0, str(Path(__file__).resolve().parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402

from library.models import Book  # noqa: E402

LIBRARIANS = [("librarian", "a long walk by the sea"), ("assistant", "a short walk by the lake")]
BOOKS = [
    ("Middlemarch", "George Eliot", 1871),
    ("Kim & Co. <abridged>", "Rudyard Kipling", 1901),
    ("Le Père Goriot", "Honoré de Balzac", 1835),
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def fill():
    call_command("migrate", interactive=False, verbosity=0)
    for name, password in LIBRARIANS:
        get_user_model().objects.create_superuser(name, f"{name}@example.org", password)
    Book.objects.bulk_create(Book(title=t, author=a, year=y) for t, a, y in BOOKS)


if __name__ == "__main__":
    fill()
    with make_server(settings.ADDRESS, 0, get_wsgi_application(), Server, Quiet) as server:
        print(f"http://{settings.ADDRESS}:{server.server_port}", flush=True)
        server.serve_forever()
