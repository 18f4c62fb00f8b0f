"""A Flask-AppBuilder site, which is what Superset and Airflow sign in with: contacts, as pages and as a JSON API.

    SITE_DATA=DIR [SITE_PORT=0] [PROVIDER_URL=URL] python appbuilder.py

Prints its URL when it is ready. With PROVIDER_URL people sign in there (see openid.py) instead of here.
"""

import os
from pathlib import Path

from flask import Flask
from flask_appbuilder import AppBuilder, Model, ModelRestApi, ModelView
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_appbuilder.security.manager import AUTH_DB, AUTH_OAUTH
from flask_appbuilder.utils.legacy import get_sqla_class
from sqlalchemy import Boolean, Column, Integer, String
from sqlalchemy.dialects.sqlite import insert
from werkzeug.serving import WSGIRequestHandler, make_server

ADDRESS = "127.0.0.1"
PROVIDER = os.environ.get("PROVIDER_URL")
PEOPLE = [("ann", "a boat on the quiet lake"), ("ben", "a lamp in the long hall")]
CONTACTS = [("Kim & Co. <import>", "\"Ring\" twice"), ("Søren Ångström", "&amp; > &")]


class Contact(Model):
    __tablename__ = "contact"

    id = Column(Integer, primary_key=True)
    name = Column(String(200), nullable=False)
    note = Column(String(500))

    def __repr__(self):
        return self.name


class Token(Model):
    """A token that was shown to the site, so that a test can revoke it."""

    __tablename__ = "shown_token"

    jti = Column(String(36), primary_key=True)
    kind = Column(String(10), nullable=False)
    revoked = Column(Boolean, nullable=False, default=False)


class ContactApi(ModelRestApi):
    resource_name = "contact"
    datamodel = SQLAInterface(Contact)
    list_columns = ["id", "name", "note"]


class ContactView(ModelView):
    datamodel = SQLAInterface(Contact)
    list_columns = ["name", "note"]
    add_columns = edit_columns = ["name", "note"]


class Quiet(WSGIRequestHandler):
    def log(self, *_):
        pass


def configuration():
    database = Path(os.environ["SITE_DATA"]) / "site.sqlite3"
    settings = {
        "SECRET_KEY": "only for this test site, which holds nothing",
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{database}",
        "WTF_CSRF_ENABLED": True,
        "AUTH_TYPE": AUTH_DB,
    }
    if PROVIDER is None:
        return settings
    provider = {
        "name": "sso",
        "token_key": "access_token",
        "remote_app": {
            "client_id": "contacts",
            "client_secret": "a secret between the two sites",
            "server_metadata_url": f"{PROVIDER}/o/.well-known/openid-configuration",
            "api_base_url": f"{PROVIDER}/o/",
            "client_kwargs": {"scope": "openid profile", "code_challenge_method": "S256"},
        },
    }
    return settings | {
        "AUTH_TYPE": AUTH_OAUTH,
        "AUTH_USER_REGISTRATION": True,
        "AUTH_USER_REGISTRATION_ROLE": "Admin",
        "OAUTH_PROVIDERS": [provider],
        # As a site would that shares its host with another.
        "SESSION_COOKIE_NAME": "contacts",
    }


def build():
    app = Flask(__name__)
    app.config.update(configuration())
    database = get_sqla_class()()
    database.init_app(app)
    with app.app_context():
        builder = AppBuilder(app, database.session)
        builder.add_api(ContactApi)
        builder.add_view(ContactView, "Contacts")
        database.create_all()
        database.session.add_all(Contact(name=name, note=note) for name, note in CONTACTS)
        database.session.commit()
        security = builder.sm
        if PROVIDER is None:
            for name, password in PEOPLE:
                role = security.find_role("Admin")
                security.add_user(name, name.title(), "Nün", f"{name}@example.org", role, password)
            note_tokens(security.jwt_manager, database.session)
        else:
            security.oauth_user_info_getter(who)
    return app


def who(security, provider, _):
    """The user as the provider tells it, for Flask-AppBuilder."""
    told = security.oauth_remotes[provider].get("userinfo").json()
    return {
        "username": told["preferred_username"],
        "first_name": told["given_name"],
        "last_name": told["family_name"],
        "email": f"{told['preferred_username']}@example.org",
    }


def note_tokens(manager, session):
    @manager.token_in_blocklist_loader
    def is_revoked(_, payload):
        # Several threads may be shown a new token at once: whoever comes first notes it, and the others read it.
        note = insert(Token).values(jti=payload["jti"], kind=payload["type"], revoked=False)
        session.execute(note.on_conflict_do_nothing())
        session.commit()
        return session.get(Token, payload["jti"]).revoked


if __name__ == "__main__":
    port = int(os.environ.get("SITE_PORT", "0"))
    server = make_server(ADDRESS, port, build(), threaded=True, request_handler=Quiet)
    print(f"http://{ADDRESS}:{server.server_port}", flush=True)
    server.serve_forever()
