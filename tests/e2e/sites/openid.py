"""An OpenID provider: Django OAuth Toolkit behind Django's own sign-in page.

    SITE_DATA=DIR CLIENT_URL=URL python openid.py

Prints its URL when it is ready. CLIENT_URL is the site whose users sign in here (see appbuilder.py).
"""

import os
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

ADDRESS = "127.0.0.1"
DATA = Path(os.environ["SITE_DATA"])
PEOPLE = [("ann", "a kettle on the old stove"), ("ben", "a garden behind the mill")]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def signing_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*kinds).decode()


settings.configure(
    SECRET_KEY="only for this test site, which holds nothing",
    ALLOWED_HOSTS=[ADDRESS],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django.contrib.staticfiles",
        "oauth2_provider",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ],
            },
        },
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA / "site.sqlite3",
            "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
        }
    },
    STATIC_URL="static/",
    # As the toolkit's own tutorial has it.
    LOGIN_URL="/admin/login/",
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": signing_key(),
        "OAUTH2_VALIDATOR_CLASS": f"{__name__}.Validator",
        "SCOPES": {"openid": "Know who you are", "profile": "Know your name"},
    },
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider.models import get_application_model  # noqa: E402
from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: E402

urlpatterns = [
    path("admin/", admin.site.urls),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]


class Validator(OAuth2Validator):
    oidc_claim_scope = None

    def get_additional_claims(self, request):
        user = request.user
        return {
            "preferred_username": user.username,
            "given_name": user.first_name,
            "family_name": user.last_name,
        }


def fill(client_url):
    call_command("migrate", interactive=False, verbosity=0)
    for name, password in PEOPLE:
        get_user_model().objects.create_user(
            name, password=password, first_name=name.title(), last_name="Nün", is_staff=True
        )
    get_application_model().objects.create(
        name="Contacts",
        client_id="contacts",
        client_secret="a secret between the two sites",
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=f"{client_url}/oauth-authorized/sso",
        algorithm="RS256",
    )


if __name__ == "__main__":
    fill(os.environ["CLIENT_URL"])
    with make_server(ADDRESS, 0, get_wsgi_application(), Server, Quiet) as server:
        print(f"http://{ADDRESS}:{server.server_port}", flush=True)
        server.serve_forever()
