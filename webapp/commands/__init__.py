"""The command line, ``license-desk``: Flask's own command group and ours. A file per group.

Every command goes through the same plan and the same writer as the pages. A refusal is printed
line by line and the exit code is 1; a wrong start is 2.
"""

import sys

import click
from flask import Flask
from flask.cli import FlaskGroup

from webapp.commands.contract import contract
from webapp.commands.demo import demo
from webapp.commands.init import init
from webapp.commands.recount import recount
from webapp.commands.serve import serve
from webapp.commands.users import users
from webapp.settings import SettingsError


def _create_app() -> Flask:
    from webapp.factory import create_app

    try:
        return create_app()
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


main = FlaskGroup(
    name="license-desk",
    create_app=_create_app,
    load_dotenv=False,
    add_version_option=False,
    help="License Desk: who holds which license, and what is left.",
)
for command in (demo, init, serve, users, contract, recount):
    main.add_command(command)
