"""The command line, ``license-desk``: Flask's own command group and ours. A file per group.

Every command goes through the same plan and the same writer as the pages.
"""

from flask import Flask
from flask.cli import routes_command, shell_command
from flask_migrate.cli import db as migrations

from webapp.commands.changes import changes
from webapp.commands.common import Commands
from webapp.commands.contract import contract
from webapp.commands.demo import demo
from webapp.commands.init import init
from webapp.commands.password_link import password_link
from webapp.commands.recount import recount
from webapp.commands.serve import serve
from webapp.commands.users import users


def _create_app() -> Flask:
    from webapp.factory import create_app

    return create_app()


main = Commands(
    name="license-desk",
    create_app=_create_app,
    load_dotenv=False,
    add_version_option=False,
    add_default_commands=False,  # Flask's ``run`` would serve without TLS to whoever asks
    help="License Desk: who holds which license, and what is left.",
)
for command in (
    demo,
    init,
    serve,
    users,
    contract,
    password_link,
    recount,
    changes,
    migrations,
    routes_command,
    shell_command,
):
    main.add_command(command)
