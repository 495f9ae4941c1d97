"""The guards once more, on the real server: what the test client shows is not always what is sent."""

import http.client

import pytest

from tests.inspecting import HEADERS
from tests.make import Make
from tests.servers import Server


@pytest.mark.case("HEAD-1")
def test_the_real_server_sends_the_same_guards_on_pages_errors_and_files(make: Make, server: Server) -> None:
    make.admin()
    asked = {
        ("GET", "/sign-in"): 200, ("HEAD", "/sign-in"): 200, ("GET", "/licenses"): 303, ("GET", "/readyz"): 200,
        ("GET", "/static/app.css"): 200, ("GET", "/static/nothing.css"): 404, ("POST", "/sign-in"): 400,
    }  # fmt: skip
    for (method, path), status in asked.items():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request(method, path, headers={"Content-Length": "0"} if method == "POST" else {})
        answer = connection.getresponse()
        assert answer.status == status, (method, path)
        for name, value in HEADERS.items():
            assert answer.headers.get_all(name) == [value], (method, path, name)
        connection.close()
