"""A visitor without a browser: signs in over HTTP and reads the page's figures."""

import http.cookiejar
import urllib.parse
import urllib.request

from bs4 import BeautifulSoup, Tag


class Visitor:
    """One person's visit to a running server."""

    def __init__(self, url: str) -> None:
        self.url = url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.open = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar).open

    def get(self, path: str) -> BeautifulSoup:
        """The page at this path; an error answer raises."""
        with self.open(f"{self.url}{path}") as answer:
            return BeautifulSoup(answer.read(), "html5lib")

    def sign_in(self, username: str, password: str) -> BeautifulSoup:
        """Sign in; the page it leads to."""
        token = self.get("/sign-in").select_one("main [name=csrf_token]")
        assert token is not None
        fields = {"csrf_token": token["value"], "username": username, "password": password}
        data = urllib.parse.urlencode(fields).encode()
        with self.open(f"{self.url}/sign-in", data) as answer:
            assert answer.url.endswith("/licenses")
            return BeautifulSoup(answer.read(), "html5lib")


def figures(page: BeautifulSoup, license: str) -> tuple[int, int, int]:
    """Contracted, assigned and available on the card of this license."""
    card = page.select_one(f'[data-license="{license}"]')
    assert isinstance(card, Tag)
    contracted, assigned, available = (
        int(str(card[f"data-{name}"])) for name in ("contracted", "assigned", "available")
    )
    return contracted, assigned, available
