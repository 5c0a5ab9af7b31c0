"""PostgreSQL's own programs, pg_dump and pg_restore: found, of a fitting version, run."""

import asyncio
import os
import re
import shutil
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from water2.domain.errors import Conflict


def find_program(name: str, bin_dir: Path | None) -> Path:
    """Return where a program lies: in the folder of the settings, or on PATH.

    Raises:
        Conflict: `program_missing`.
    """
    found = shutil.which(name, path=str(bin_dir) if bin_dir else None)
    if found is None:
        raise Conflict("program_missing", {"program": name})
    return Path(found)


def libpq_address(url: str) -> tuple[str, dict[str, str]]:
    """Return an address as PostgreSQL's programs read it, and the environment with the password.

    The password goes by the environment: a command line is for every user of the machine to see.
    """
    parsed = make_url(url)
    hosts = parsed.query.get("host", ())
    query = {key: value for key, value in parsed.query.items() if key != "host"}
    if isinstance(hosts, tuple) and hosts:
        query["host"] = ",".join(host.rpartition(":")[0] or host for host in hosts)
        query["port"] = ",".join(
            host.rpartition(":")[2] if ":" in host else "5432" for host in hosts
        )
        query["target_session_attrs"] = "read-write"
    elif hosts:
        query["host"] = str(hosts)
    plain = URL.create(
        "postgresql",
        username=parsed.username,
        host=parsed.host,
        port=parsed.port,
        database=parsed.database,
        query=query,
    )
    secret = {"PGPASSWORD": str(parsed.password)} if parsed.password else {}
    return plain.render_as_string(hide_password=False), secret


async def run_program(program: Path, *arguments: str, secret: dict[str, str] | None = None) -> str:
    """Run a program to its end and return what it printed.

    Raises:
        Conflict: `program_failed`, with the last line of what it complained of.
    """
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        env={**os.environ, "LC_ALL": "C", **(secret or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complained = await process.communicate()
    if process.returncode:
        lines = complained.decode(errors="replace").strip().splitlines()
        raise Conflict(
            "program_failed", {"program": program.name, "said": lines[-1] if lines else ""}
        )
    return printed.decode(errors="replace")


async def check_version(program: Path, server_version: int) -> None:
    """Refuse a program older than the server: its dumps would lack what it does not know.

    Raises:
        Conflict: `program_too_old`.
    """
    said = await run_program(program, "--version")
    number = re.search(r"(\d+)(?:\.\d+)?", said)
    if number is None or int(number[1]) < server_version:
        raise Conflict(
            "program_too_old",
            {"program": program.name, "version": said.strip(), "server": server_version},
        )
