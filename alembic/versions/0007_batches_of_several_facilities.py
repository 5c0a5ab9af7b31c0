"""reading batches: of several facilities, their bodies deflated

Revision ID: 0007
Revises: 0006
"""

import zlib
from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BATCH = sa.table("reading_batch", sa.column("id", sa.String), sa.column("body", sa.LargeBinary))


def upgrade() -> None:
    with op.batch_alter_table("reading_batch", schema=None) as batch_op:
        batch_op.alter_column("facility_id", existing_type=sa.String(length=32), nullable=True)
    _rewrite(zlib.compress)


def downgrade() -> None:
    """Go back; refused by the database where a batch is of several facilities."""
    _rewrite(zlib.decompress)
    with op.batch_alter_table("reading_batch", schema=None) as batch_op:
        batch_op.alter_column("facility_id", existing_type=sa.String(length=32), nullable=False)


def _rewrite(change: Callable[[bytes], bytes]) -> None:
    """Rewrite one body at a time: all of them may be larger than the memory."""
    bind = op.get_bind()
    for id_ in bind.scalars(sa.select(BATCH.c.id)).all():
        body = bind.scalar(sa.select(BATCH.c.body).where(BATCH.c.id == id_))
        bind.execute(sa.update(BATCH).where(BATCH.c.id == id_).values(body=change(body)))
