"""``contract load`` and ``contract show``."""

from tests.commands.database import dump
from tests.commands.files import CONTRACT
from tests.servers import Desk

SHOWN = """\
License         Contracted  Assigned  Available  State
vcc/agent       300         0         300        300 available
vcc/supervisor  50          0         50         50 available
vcc/wallboard   10          0         10         10 available
vcc/admin       25          1         24         24 available
ha/viewer       30          0         30         30 available
ha/creator      2           0         2          2 available
enc/enabled     200         0         200        200 available
accent/enabled  0           0         0          Not purchased

License         Contracted  Max overage  Starts on
vcc/agent       300         15           2026-01-01
vcc/supervisor  50          0            2026-01-01
vcc/wallboard   10          0            2026-01-01
vcc/admin       25          0            2026-01-01
ha/viewer       30          0            2026-01-01
ha/creator      2           0            2026-03-01
enc/enabled     200         0            2026-01-01
accent/enabled  0           0            2026-01-01
"""


def test_show_tells_figures_state_and_every_line(desk: Desk) -> None:
    assert desk.must("contract", "show") == SHOWN


def test_loading_the_same_file_again_changes_nothing(desk: Desk) -> None:
    before = dump(desk)
    out = desk.must("contract", "load", desk.write("again.csv", CONTRACT))
    assert out == "0 of 8 lines loaded; the others were there already.\n"
    assert dump(desk) == before
    some = desk.must("contract", "load", desk.write("more.csv", CONTRACT + "vcc/agent,310,15,2027-01-01\n"))
    assert some.splitlines()[-1] == "1 of 9 lines loaded; the others were there already."
    alone = "License,Contracted,Max overage,Starts on\nvcc/agent,320,15,2027-02-01\n"
    all_new = desk.must("contract", "load", desk.write("alone.csv", alone))
    assert all_new.splitlines()[-1] == "1 of 1 line loaded."


def test_a_new_line_for_the_same_day_supersedes_the_old_one(desk: Desk) -> None:
    desk.must("contract", "load", desk.write(
        "more.csv", "Starts on,License,Max overage,Contracted\n2026-01-01,vcc/agent,,280\n"
    ))  # fmt: skip
    shown = desk.must("contract", "show")
    assert "vcc/agent       280         no limit     2026-01-01" in shown
    assert (
        "vcc/agent       280         0         280        280 available · No upper limit · extra charge above 280"
        in shown
    )


def test_a_contract_file_with_faults_is_refused_whole_with_a_line_for_each(desk: Desk) -> None:
    before = dump(desk)
    ran = desk.run("contract", "load", desk.write("bad.csv", (
        "License,Contracted,Max overage,Starts on\n"
        "vcc/admin,26,0,2026-01-01\n"
        "vcc/manager,10,0,2026-01-01\n"
        "vcc/agent,many,-1,01/02/2026\n"
        "ha/viewer,1,0,2026-05-01\n"
        "ha/viewer,2,0,2026-05-01\n"
        "ha/creator,2,0,2026-W01-1\n"
    )))  # fmt: skip
    assert ran.code == 1
    assert [line.partition(":")[0] for line in ran.err.splitlines()[:-1]] == [
        "line 3, License (contract)",
        "line 4, Contracted (contract)",
        "line 4, Max overage (contract)",
        "line 4, Starts on (contract)",
        "line 5, License (contract)",
        "line 6, License (contract)",
        "line 7, Starts on (contract)",
    ]
    assert "Use one of vcc/agent, vcc/supervisor" in ran.err
    assert ran.err.splitlines()[-1] == "7 problems. Nothing was changed."
    assert dump(desk) == before
