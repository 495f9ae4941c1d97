"""The page from constants is the app's page, or the measuring beside it would tell nothing."""

import re
from pathlib import Path

from tests.bench.client import Connection, request_for
from tests.bench.measuring import served

CHANGES = re.compile(
    rb'csrf_token" value="[^"]+"|X-CSRFToken": "[^"]+"|As of <time[^<]+</time>|title="[^"]+">[^<]+<'
)


def test_each_kind_of_page_is_the_same_from_constants(tmp_path: Path) -> None:
    with served(tmp_path, 300, lambda _: None) as account:
        for kind in account.kinds:
            for region in ("", kind.region):
                request = request_for(kind.addresses[0], account.cookies[kind.username], region)
                pages = []
                for port in (account.app, account.constants):
                    with Connection(port) as connection:
                        pages.append(CHANGES.sub(b"", connection.ask(request)))
                assert pages[0] == pages[1], kind.name
                assert b"data-count" in pages[0] or b"show-more" in pages[0], kind.name
        with Connection(account.hello) as connection:
            assert connection.ask(request_for("/healthz")) == b"hello"
