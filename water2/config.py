"""Settings: `WATER2_…` environment variables or a `water2.env` file in the data folder."""

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ENV_FILE = "water2.env"  # in the data folder; environment variables come before it


class Settings(BaseSettings):
    """How this installation runs. What the law demands is not here but in the rulebook."""

    model_config = SettingsConfigDict(env_prefix="WATER2_", extra="ignore")

    data_dir: Path = Field(Path("data"), description="folder of the embedded database and its keys")
    database_url: str | None = Field(
        None, description="`postgresql://…`; empty: SQLite in the data folder"
    )
    database_admin_url: str | None = Field(
        None, description="address under which migrations run, where the application's may not"
    )
    database_pool_size: int = Field(4, ge=1, le=100, description="connections per process")
    database_pooler: bool = Field(
        False, description="a transaction pooler (PgBouncer) stands before PostgreSQL"
    )
    timezone: str = Field("Asia/Shanghai", description="zone of a new utility")
    key_dir: Path | None = Field(
        None, description="folder of the signing and contact keys; empty: `keys` in the data folder"
    )
    backup_dir: Path | None = Field(
        None, description="folder of backups; empty: `backups` in the data folder"
    )
    pg_bin_dir: Path | None = Field(
        None, description="folder of pg_dump and pg_restore; empty: found on PATH"
    )
    session_hours: int = Field(12, ge=1, le=720, description="life of a sign-in")
    sweep_seconds: int = Field(60, ge=1, le=3600, description="pause between two sweeps")
    delivery_seconds: int = Field(
        1, ge=1, le=60, description="pause between two looks for messages to send"
    )
    checkpoint_minutes: int = Field(10, ge=1, le=1440, description="pause between checkpoints")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=1, le=65535, description="port to listen on")
    public_url: str | None = Field(
        None, description="`https://…` residents reach the pages at; stands in messages as a link"
    )
    sms_url: str | None = Field(
        None,
        description="`https://…` of an SMS gateway, or "
        "`aliyun://KEY_ID@dysmsapi.aliyuncs.com?sign=…&template=…`; empty: no SMS",
    )
    sms_token: SecretStr | None = Field(None, description="bearer token of the SMS gateway")
    aliyun_secret: SecretStr | None = Field(None, description="secret of the Aliyun key")
    sms_receipt_secret: SecretStr | None = Field(
        None, description="`whsec_…`: signs the receipts that the SMS gateway pushes"
    )
    sms_poll: bool | None = Field(
        None,
        description="ask the SMS provider what became of what it accepted; empty: only where "
        "it cannot push receipts, for want of `WATER2_SMS_RECEIPT_SECRET`",
    )
    sms_daily_cap: int = Field(10, ge=1, le=1000, description="SMS to one number a day, at most")
    smtp_url: SecretStr | None = Field(
        None, description="`smtp://user:password@host:587?from=…` or `smtps://…`; empty: no mail"
    )
    allowed_networks: str = Field(
        "",
        description="hosts and networks of its own that messages may go to, without TLS too: "
        "`10.8.0.0/16,sms.local`",
    )
    secure_cookies: bool = Field(True, description="cookies over HTTPS only")

    @property
    def sqlite_path(self) -> Path:
        """Return where the embedded database lies."""
        return self.data_dir / "water2.db"

    @property
    def url(self) -> str:
        """Return the address of the database."""
        return self.database_url or f"sqlite:///{self.sqlite_path}"

    @property
    def keys(self) -> Path:
        """Return the folder of keys; it is never part of a backup."""
        return self.key_dir or self.data_dir / "keys"

    @property
    def backups(self) -> Path:
        """Return the folder of backups."""
        return self.backup_dir or self.data_dir / "backups"


def load_settings(**changes: Any) -> Settings:
    """Read the settings; keyword arguments (from the command line) come before all else.

    Raises:
        pydantic.ValidationError: a value makes no sense; names the setting.
    """
    given = {key: value for key, value in changes.items() if value is not None}
    folder = Path(given.get("data_dir") or Settings().data_dir)
    return Settings(_env_file=folder / ENV_FILE, **given)
