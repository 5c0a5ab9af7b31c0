"""`simulate` lives years in a database of its own and tells which invariants held."""

from tests.shell import FOUNDING, Shell


def test_a_year_beside_an_installation_breaks_no_invariant_and_can_be_kept_and_looked_at(tmp_path):
    shell, kept = Shell(tmp_path / "real"), tmp_path / "kept"
    assert shell.run(*FOUNDING).status == 0
    arguments = ("--facilities", "1", "--years", "1", "--seed", "5", "--keep", str(kept))
    said = shell.run("simulate", *arguments, "--json")
    assert (said.status, said.data["days"], said.data["violations"]) == (0, 366, [])
    assert Shell(kept).sql("SELECT code FROM utility") == [("SIM5",)]
    assert shell.sql("SELECT code FROM utility") == [("OC",)]


def test_a_simulation_keeps_out_of_an_installation(tmp_path, postgres_url):
    shell = Shell(tmp_path, postgres_url)
    assert shell.run(*FOUNDING).status == 0
    said = shell.run("simulate", "--facilities", "1", "--years", "1")
    assert (said.status, "empty database" in said.err) == (2, True)
    assert shell.sql("SELECT count(*) FROM utility") == [(1,)]
