"""``password-link``: the way in for whoever has no password, also when nobody can sign in any more."""

from tests.commands.files import as_csv, user
from tests.servers import Desk


def test_the_last_line_is_the_path_of_a_link_for_that_user(desk: Desk) -> None:
    desk.must("users", "import", desk.write("users.csv", as_csv([user("sue", "Supervisor")])))
    first, second = (desk.must("password-link", name).splitlines()[-1] for name in ("sue", "SUE"))
    assert first.startswith("/password/")
    assert len(first) > 45
    assert first != second
    assert desk.must("changes", "verify").startswith("6 changes")


def test_who_is_not_there_or_cannot_sign_in_is_told(desk: Desk) -> None:
    desk.must("users", "import", desk.write("users.csv", as_csv([user("ann")])))
    ran = desk.run("password-link", "nobody")
    assert (ran.code, ran.out) == (1, "")
    assert "There is no user nobody." in ran.err
    ran = desk.run("password-link", "ann")
    assert (ran.code, ran.out) == (1, "")
    assert "can't sign in here. Give them an admin license" in ran.err
