"""Builds the app; reads as a table of contents. Decides nothing."""

from flask import Flask
from jinja2 import StrictUndefined

from webapp import resources
from webapp.database import init_database
from webapp.pages import account, changes, groups, health, licenses, session, sign_ins, users
from webapp.settings import Settings, read_settings
from webapp.web import format as words
from webapp.web.access import init_access
from webapp.web.errors import init_errors
from webapp.web.frame import frame
from webapp.web.log import init_log
from webapp.web.page import add_components
from webapp.web.passwords import init_passwords
from webapp.web.resent import init_resent
from webapp.web.security import init_security
from webapp.web.turns import init_turns


def create_app(settings: Settings | None = None, *, cheap_passwords: bool = False) -> Flask:
    """The app for these settings, else for the environment's. Raises SettingsError.

    ``cheap_passwords``: hash at the lowest cost, for tests.
    """
    settings = settings or read_settings()
    app = Flask("webapp", template_folder=str(resources.TEMPLATES), static_folder=str(resources.STATIC))
    app.extensions["settings"] = settings
    init_database(app, settings)
    init_log(app)
    init_passwords(app, cheap=cheap_passwords)
    init_security(app, settings)
    init_access(app)
    init_resent(app)
    init_errors(app)
    for home in (health, session, account, sign_ins, licenses, users, groups, changes):
        app.register_blueprint(home.blueprint)
    _init_templates(app, settings)
    init_turns(app, settings)
    return app


def _init_templates(app: Flask, settings: Settings) -> None:
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters["number"] = words.number
    app.jinja_env.globals.update(organization=settings.organization, help=settings.help)
    app.context_processor(frame)
    with app.app_context():
        add_components(app)
