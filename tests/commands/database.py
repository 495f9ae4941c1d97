"""The database seen and changed behind the program's back."""

import sqlite3

from tests.servers import Desk


def dump(desk: Desk) -> list[str]:
    """All of it as text, to see that nothing was changed."""
    connection = sqlite3.connect(desk.database)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def change(desk: Desk, statement: str) -> None:
    """Change one row as no command would."""
    connection = sqlite3.connect(desk.database)
    try:
        with connection:
            assert connection.execute(statement).rowcount == 1
    finally:
        connection.close()


def usernames(desk: Desk) -> list[str]:
    """Everyone there is."""
    connection = sqlite3.connect(desk.database)
    try:
        return [row[0] for row in connection.execute('SELECT username FROM "user" ORDER BY username')]
    finally:
        connection.close()
