"""The blueprint that the pages about users share; alone here, or they would import in a circle."""

from flask import Blueprint

blueprint = Blueprint("users", __name__)
