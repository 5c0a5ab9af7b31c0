"""anomalies

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "anomaly",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("utility_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("facility_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("number", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "supply_stopped",
                "resumed",
                "closed",
                "historical",
                name="anomalystate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "source",
            sa.Enum(
                "result",
                "instrument",
                "complaint",
                "patrol",
                "person",
                name="anomalysource",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("found_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("opened_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("outage_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("stopped_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("cut_off_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("cut_off_entered_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("departed", sa.Boolean(), nullable=False),
        sa.Column("departure_unexplained", sa.Boolean(), nullable=False),
        sa.Column("findings_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("findings_entered_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("controls_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("assessed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("endangers_health", sa.Boolean(), nullable=True),
        sa.Column("outbreak", sa.Boolean(), nullable=False),
        sa.Column("danger_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("resumed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("closed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column(
            "earlier_flags",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("wake_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["facility.id"], name=op.f("fk_anomaly_facility_id_facility")
        ),
        sa.ForeignKeyConstraint(
            ["outage_id"], ["outage.id"], name=op.f("fk_anomaly_outage_id_outage")
        ),
        sa.ForeignKeyConstraint(
            ["utility_id"], ["utility.id"], name=op.f("fk_anomaly_utility_id_utility")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anomaly")),
        sa.UniqueConstraint("number", name=op.f("uq_anomaly_number")),
    )
    with op.batch_alter_table("anomaly", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_anomaly_facility_id"), ["facility_id"], unique=False)
        batch_op.create_index("ix_anomaly_listed", ["utility_id", "opened_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_anomaly_outage_id"), ["outage_id"], unique=False)
        batch_op.create_index(
            "ix_anomaly_wake",
            ["wake_at"],
            unique=False,
            sqlite_where=sa.text("wake_at IS NOT NULL"),
            postgresql_where=sa.text("wake_at IS NOT NULL"),
        )

    op.create_table(
        "anomaly_act",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("utility_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("anomaly_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "supply_stopped",
                "findings",
                "controls",
                "assessment",
                "reopened",
                "resumed",
                "closed",
                "escalated",
                name="anomalyactkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("occurred_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("recorded_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("recorded_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("text", sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=True),
        sa.Column("suspected_cause", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.Column(
            "data",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["anomaly_id"], ["anomaly.id"], name=op.f("fk_anomaly_act_anomaly_id_anomaly")
        ),
        sa.ForeignKeyConstraint(
            ["utility_id"], ["utility.id"], name=op.f("fk_anomaly_act_utility_id_utility")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anomaly_act")),
    )
    with op.batch_alter_table("anomaly_act", schema=None) as batch_op:
        batch_op.create_index("ix_anomaly_act_told", ["anomaly_id", "ordinal"], unique=False)

    op.create_table(
        "anomaly_cause",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("utility_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("anomaly_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("open_key", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=True),
        sa.Column(
            "source",
            sa.Enum(
                "result",
                "instrument",
                "complaint",
                "patrol",
                "person",
                name="anomalysource",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("found_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("parameter", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True),
        sa.Column(
            "point",
            sa.Enum("inlet", "outlet", "terminal", name="point", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("tank_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("sample_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("instrument_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.Column("recorded_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("recorded_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["anomaly_id"], ["anomaly.id"], name=op.f("fk_anomaly_cause_anomaly_id_anomaly")
        ),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["sample.id"], name=op.f("fk_anomaly_cause_sample_id_sample")
        ),
        sa.ForeignKeyConstraint(
            ["tank_id"], ["tank.id"], name=op.f("fk_anomaly_cause_tank_id_tank")
        ),
        sa.ForeignKeyConstraint(
            ["utility_id"], ["utility.id"], name=op.f("fk_anomaly_cause_utility_id_utility")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anomaly_cause")),
        sa.UniqueConstraint("open_key", name=op.f("uq_anomaly_cause_open_key")),
        sa.UniqueConstraint(
            "anomaly_id",
            "sample_id",
            "parameter",
            name=op.f("uq_anomaly_cause_anomaly_id_sample_id_parameter"),
        ),
    )
    with op.batch_alter_table("anomaly_cause", schema=None) as batch_op:
        batch_op.create_index("ix_anomaly_cause_sample", ["sample_id"], unique=False)
        batch_op.create_index("ix_anomaly_cause_told", ["anomaly_id", "found_at"], unique=False)

    op.create_table(
        "anomaly_escalation",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("utility_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("anomaly_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("subject_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("step", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("level", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("due_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("made_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["anomaly_id"], ["anomaly.id"], name=op.f("fk_anomaly_escalation_anomaly_id_anomaly")
        ),
        sa.ForeignKeyConstraint(
            ["utility_id"], ["utility.id"], name=op.f("fk_anomaly_escalation_utility_id_utility")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anomaly_escalation")),
        sa.UniqueConstraint(
            "subject_id",
            "step",
            "level",
            "due_at",
            name=op.f("uq_anomaly_escalation_subject_id_step_level_due_at"),
        ),
    )
    with op.batch_alter_table("anomaly_escalation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_anomaly_escalation_anomaly_id"), ["anomaly_id"], unique=False
        )

    op.create_table(
        "regulator_report",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("utility_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("anomaly_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("number", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column(
            "regulator",
            sa.Enum("health", "water", name="regulator", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum("first", "progress", "final", name="reportkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "due",
                "sent",
                "acknowledged",
                "withdrawn",
                name="reportstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("law", sa.Boolean(), nullable=False),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("due_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("phone_due_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("phoned_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("phone_entered_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("phoned_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("phone_note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("drafted_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("draft_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("content_sha256", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
        sa.Column("sent_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("sent_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("acknowledged_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("acknowledged_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("acknowledgement", sqlmodel.sql.sqltypes.AutoString(length=500), nullable=True),
        sa.Column("wake_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["anomaly_id"], ["anomaly.id"], name=op.f("fk_regulator_report_anomaly_id_anomaly")
        ),
        sa.ForeignKeyConstraint(
            ["utility_id"], ["utility.id"], name=op.f("fk_regulator_report_utility_id_utility")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regulator_report")),
        sa.UniqueConstraint(
            "anomaly_id",
            "regulator",
            "kind",
            "ordinal",
            name=op.f("uq_regulator_report_anomaly_id_regulator_kind_ordinal"),
        ),
        sa.UniqueConstraint("number", name=op.f("uq_regulator_report_number")),
    )
    with op.batch_alter_table("regulator_report", schema=None) as batch_op:
        batch_op.create_index(
            "ix_regulator_report_listed", ["utility_id", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_regulator_report_wake",
            ["wake_at"],
            unique=False,
            sqlite_where=sa.text("wake_at IS NOT NULL"),
            postgresql_where=sa.text("wake_at IS NOT NULL"),
        )

    op.create_table(
        "report_message",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("utility_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("report_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("answers_id", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
        sa.Column("written_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("written_by", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("text", sqlmodel.sql.sqltypes.AutoString(length=2000), nullable=False),
        sa.ForeignKeyConstraint(
            ["answers_id"],
            ["report_message.id"],
            name=op.f("fk_report_message_answers_id_report_message"),
        ),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["regulator_report.id"],
            name=op.f("fk_report_message_report_id_regulator_report"),
        ),
        sa.ForeignKeyConstraint(
            ["utility_id"], ["utility.id"], name=op.f("fk_report_message_utility_id_utility")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_message")),
    )
    with op.batch_alter_table("report_message", schema=None) as batch_op:
        batch_op.create_index("ix_report_message_told", ["report_id", "written_at"], unique=False)

    _mend_outages()


def _mend_outages() -> None:
    """Columns by ALTER TABLE: rows refer to these tables, so SQLite could not make them anew."""
    op.drop_index("ix_delivery_held", table_name="delivery")
    held = sa.text("state = 'held'")
    op.create_index(
        "ix_delivery_held",
        "delivery",
        ["utility_id", "due_at"],
        sqlite_where=held,
        postgresql_where=held,
    )
    tried = sa.text("channel = 'sms' AND attempted_at IS NOT NULL")
    op.create_index(
        "ix_delivery_number",
        "delivery",
        ["address_index"],
        sqlite_where=tried,
        postgresql_where=tried,
    )
    text = sqlmodel.sql.sqltypes.AutoString
    op.add_column("outage", sa.Column("danger", text(length=20), nullable=True))
    items = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")
    op.add_column("outage", sa.Column("failed_items", items, nullable=True))
    op.add_column("outage", sa.Column("retested_at", sqlmodel.sql.sqltypes.UTCDateTime()))
    op.create_index("ix_outage_announced", "outage", ["announced_at"])
    flags = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")
    with op.batch_alter_table("poster", schema=None) as batch_op:  # no row refers to a poster
        batch_op.add_column(sa.Column("flags", flags, nullable=False, server_default="[]"))
    with op.batch_alter_table("poster", schema=None) as batch_op:
        batch_op.alter_column("flags", server_default=None)
    audience = sa.Enum(
        "public",
        "health_regulator",
        "water_regulator",
        name="audience",
        native_enum=False,
        length=40,
    )
    with op.batch_alter_table("endpoint", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("audience", audience, nullable=False, server_default="public")
        )
        batch_op.drop_constraint("uq_endpoint_utility_id_channel_address_index", type_="unique")
        batch_op.create_unique_constraint(
            "uq_endpoint_utility_id_channel_audience_address_index",
            ["utility_id", "channel", "audience", "address_index"],
        )
    with op.batch_alter_table("endpoint", schema=None) as batch_op:
        batch_op.alter_column("audience", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("endpoint", schema=None) as batch_op:
        batch_op.drop_constraint(
            "uq_endpoint_utility_id_channel_audience_address_index", type_="unique"
        )
        batch_op.create_unique_constraint(
            "uq_endpoint_utility_id_channel_address_index",
            ["utility_id", "channel", "address_index"],
        )
        batch_op.drop_column("audience")
    op.drop_column("poster", "flags")
    op.drop_index("ix_outage_announced", table_name="outage")
    op.drop_column("outage", "retested_at")
    op.drop_column("outage", "failed_items")
    op.drop_column("outage", "danger")
    op.drop_index("ix_delivery_number", table_name="delivery")
    op.drop_index("ix_delivery_held", table_name="delivery")
    held = sa.text("state = 'held'")
    op.create_index(
        "ix_delivery_held",
        "delivery",
        ["utility_id", "deadline_at"],
        sqlite_where=held,
        postgresql_where=held,
    )
    with op.batch_alter_table("report_message", schema=None) as batch_op:
        batch_op.drop_index("ix_report_message_told")

    op.drop_table("report_message")
    with op.batch_alter_table("regulator_report", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_regulator_report_wake",
            sqlite_where=sa.text("wake_at IS NOT NULL"),
            postgresql_where=sa.text("wake_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_regulator_report_listed")

    op.drop_table("regulator_report")
    with op.batch_alter_table("anomaly_escalation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_anomaly_escalation_anomaly_id"))

    op.drop_table("anomaly_escalation")
    with op.batch_alter_table("anomaly_cause", schema=None) as batch_op:
        batch_op.drop_index("ix_anomaly_cause_told")
        batch_op.drop_index("ix_anomaly_cause_sample")

    op.drop_table("anomaly_cause")
    with op.batch_alter_table("anomaly_act", schema=None) as batch_op:
        batch_op.drop_index("ix_anomaly_act_told")

    op.drop_table("anomaly_act")
    with op.batch_alter_table("anomaly", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_anomaly_wake",
            sqlite_where=sa.text("wake_at IS NOT NULL"),
            postgresql_where=sa.text("wake_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_anomaly_outage_id"))
        batch_op.drop_index("ix_anomaly_listed")
        batch_op.drop_index(batch_op.f("ix_anomaly_facility_id"))

    op.drop_table("anomaly")
