"""What each provider says when it takes a message, and when asked for one."""

import json
from typing import Any
from uuid import uuid4

AT = "2026-11-23T09:00:30+08:00"
ALIYUN_AT = "2026-11-23 09:00:30"
ALIYUN_STATUS = {"accepted": 1, "failed": 2, "delivered": 3}
ACCEPTING = {
    "/dingtalk": {"errcode": 0, "errmsg": "ok"},
    "/wecom": {"errcode": 0, "errmsg": "ok"},
    "/feishu": {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "ok"},
    "/webhook": {},
}


def identify(request: Any) -> dict[str, Any]:
    """Return the record of a message: its id and address as its provider names them, and all."""
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        body = request.body.decode("latin-1")
    query, headers = request.query, request.headers
    told = body if isinstance(body, dict) else {}
    return {
        "id": str(told.get("id") or query.get("OutId") or headers.get("webhook-id") or uuid4().hex),
        "to": told.get("to") or query.get("PhoneNumbers"),
        "path": request.path,
        "query": query,
        "headers": headers,
        "body": body,
        "raw": request.body.decode("utf-8", "replace"),
    }


def accepting(path: str, identity: str) -> object:
    if path in ACCEPTING:
        return ACCEPTING[path]
    if path == "/":
        return {"Code": "OK", "Message": "OK", "BizId": f"biz-{identity}", "RequestId": uuid4().hex}
    return {"code": 0, "message": "ok", "message_id": f"theirs-{identity}"}


def status_of(status: str) -> object:
    return {"code": 0, "status": status, "at": AT}


def details(query: dict[str, str], ids: dict[str, int], status: str) -> object:
    """Answer QuerySendDetails: whatever was accepted, as if all of it went to that number."""
    found = [
        {
            "OutId": identity,
            "PhoneNum": query.get("PhoneNumber"),
            "SendStatus": ALIYUN_STATUS[status],
            "ErrCode": "UNKNOWN_NUMBER" if status == "failed" else "DELIVERED",
            "SendDate": ALIYUN_AT,
            "ReceiveDate": ALIYUN_AT,
        }
        for identity in ids
    ]
    wrapped = {"SmsSendDetailDTO": found}
    return {"Code": "OK", "TotalCount": str(len(found)), "SmsSendDetailDTOs": wrapped}
