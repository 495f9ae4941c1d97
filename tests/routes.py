"""Every route as an address that can be asked: what a walk over the URL map starts from.

A new route needs a sample for each new part of its address here; without one the walk fails.
"""

from dataclasses import dataclass

from flask import Flask

SAMPLES = {
    "product": "vcc",
    "filename": "app.css",
    "username": "boss",
    "seq": "1",
    "group": "1",
    "sign_in": "1",
    "token": "none",
}


@dataclass(frozen=True)
class Route:
    """An endpoint, one of its methods, and an address of it."""

    endpoint: str
    method: str
    address: str


def routes(app: Flask) -> list[Route]:
    """Each route with each method it is made for; HEAD and OPTIONS come along with GET."""
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        lacking = rule.arguments - set(SAMPLES)
        assert not lacking, f"{rule.rule}: add a sample for {lacking} to tests/routes.py"
        arguments = {name: SAMPLES[name] for name in rule.arguments}
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            address = adapter.build(rule.endpoint, arguments, method=method)
            found.append(Route(rule.endpoint, method, address))
    return found
