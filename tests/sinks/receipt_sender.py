"""Receipts pushed back to whoever sent the messages: early, late, doubled, signed."""

import asyncio
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import httpx
from standardwebhooks import Webhook

BATCH = 100
PAUSE_SECONDS = 0.05
BEIJING = timezone(timedelta(hours=8))


class ReceiptSender:
    """Collects receipts and posts them in lists, as providers do."""

    def __init__(self, state: Any) -> None:
        self.state = state
        self.waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.posting: asyncio.Task[None] | None = None
        self.late: set[asyncio.Task[None]] = set()
        self.client: Any = None

    async def add(self, message: dict[str, Any]) -> None:
        behaviour = self.state.behaviour
        if behaviour.receipts_early:
            await self.post([message])
            return
        task = asyncio.create_task(self.later(message, behaviour.receipts_delay_ms / 1000))
        self.late.add(task)
        task.add_done_callback(self.late.discard)

    async def later(self, message: dict[str, Any], seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.waiting.put_nowait(message)
        if self.posting is None or self.posting.done():
            self.posting = asyncio.create_task(self.post_waiting())

    async def post_waiting(self) -> None:
        while not self.waiting.empty():
            await asyncio.sleep(PAUSE_SECONDS)
            count = min(self.waiting.qsize(), BATCH)
            await self.post([self.waiting.get_nowait() for _ in range(count)])

    async def post(self, messages: list[dict[str, Any]]) -> None:
        behaviour = self.state.behaviour
        write = aliyun_receipt if behaviour.receipts_style == "aliyun" else generic_receipt
        told = [write(message, behaviour.receipts_status) for message in messages]
        body = json.dumps(told * behaviour.receipts_copies)
        headers = {"Content-Type": "application/json"}
        if behaviour.receipts_secret:
            headers |= signed(body, behaviour.receipts_secret)
        if self.client is None:
            self.client = httpx.AsyncClient(timeout=30)
        await self.client.post(behaviour.receipts_url, content=body, headers=headers)


def signed(body: str, secret: str) -> dict[str, str]:
    """Sign as Standard Webhooks has it, by the standard's own package."""
    identity, now = uuid4().hex, datetime.now(UTC)  # noqa: TID251 - a sink stands outside
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(identity, now, body),
    }


def generic_receipt(message: dict[str, Any], status: str) -> dict[str, Any]:
    now = datetime.now(UTC)  # noqa: TID251 - a sink stands outside
    return {"id": message["id"], "status": status, "at": now.isoformat(), "code": status.upper()}


def aliyun_receipt(message: dict[str, Any], status: str) -> dict[str, Any]:
    now = datetime.now(BEIJING).strftime("%Y-%m-%d %H:%M:%S")  # noqa: TID251 - as above
    return {
        "phone_number": message["to"],
        "send_time": now,
        "report_time": now,
        "success": status == "delivered",
        "err_code": "DELIVERED" if status == "delivered" else "UNKNOWN_NUMBER",
        "err_msg": "用户接收成功" if status == "delivered" else "空号",
        "sms_size": "1",
        "biz_id": f"biz-{message['id']}",
        "out_id": message["id"],
    }
