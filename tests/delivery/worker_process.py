"""A worker in a process of its own, to be killed: `python -m tests.delivery.worker_process URL …`.

It sends through the real HTTP gateway until it is killed. Its leases are short, so that a test need
not wait for them long.
"""

import argparse
import asyncio
import ipaddress
from datetime import timedelta

from water2.clock import wall_clock
from water2.database import open_database
from water2.domain.contacts import ContactBox
from water2.gateways.addresses import Allowed
from water2.gateways.http_pool import HttpPool
from water2.gateways.sms_http import SmsHttpGateway
from water2.services.delivery.worker import DeliveryWorker
from water2.work import Runtime

LEASE_SECONDS = 2.0
LOOPBACK = Allowed(networks=(ipaddress.ip_network("127.0.0.0/8"),))


async def work(database_url: str, gateway_url: str, connections: int) -> None:
    runtime = Runtime(open_database(database_url), wall_clock, ContactBox(bytes(32)))
    pool = HttpPool(connections, 5.0, LOOPBACK)
    gateway = SmsHttpGateway(pool, gateway_url, "")
    worker = DeliveryWorker(
        runtime,
        {gateway.channel: gateway},
        wall=wall_clock,
        public_url=None,
        daily_cap=1000,
        lease=timedelta(seconds=LEASE_SECONDS),
    )
    while True:
        await worker.run_once()
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("database_url")
    parser.add_argument("gateway_url")
    parser.add_argument("--connections", type=int, default=10)
    given = parser.parse_args()
    asyncio.run(work(given.database_url, given.gateway_url, given.connections))
