"""`simulate` lives years in a database of its own and tells which invariants held."""

from tests.shell import FOUNDING, Shell


def test_a_year_of_a_small_utility_breaks_no_invariant(shell):
    said = shell.run("simulate", "--facilities", "2", "--years", "1", "--seed", "5", "--json")
    assert (said.status, said.data["days"], said.data["violations"]) == (0, 366, [])


def test_a_simulation_keeps_out_of_an_installation(shell):
    assert shell.run(*FOUNDING).status == 0
    said = shell.run("simulate", "--facilities", "1", "--years", "1")
    if shell.database_url:
        assert (said.status, "empty database" in said.err) == (2, True)
    assert shell.sql("SELECT count(*) FROM utility") == [(1,)]


def test_what_was_simulated_can_be_kept_and_looked_at(tmp_path):
    shell = Shell(tmp_path / "none")
    kept = tmp_path / "kept"
    arguments = ("--facilities", "1", "--years", "1", "--keep", str(kept))
    assert shell.run("simulate", *arguments).status == 0
    assert Shell(kept).sql("SELECT count(*) FROM utility") == [(1,)]
