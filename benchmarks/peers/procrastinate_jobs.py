"""As many jobs of procrastinate as there are charges, each one POST to the same bank; a program of its own, in the peers' environment.

`python procrastinate_jobs.py DATABASE BANK KEYS JOBS WORKERS` prints seconds and CPU seconds of each round that it is asked for by
a line of its input. Its HTTP client is the leanest that Python has, one kept connection for each worker. It promises less
than a forwarder: nothing is written down between taking a job and sending, so a job that is taken up again is sent again.
"""

import asyncio
import json
import ssl
import sys
import threading
import time
from http.client import HTTPSConnection
from pathlib import Path

from procrastinate import App, PsycopgConnector

DATABASE, BANK, KEYS, JOBS, WORKERS = sys.argv[1:]
app = App(connector=PsycopgConnector(conninfo=DATABASE, max_size=int(WORKERS) + 2))
context = ssl.create_default_context(cafile=Path(KEYS) / "bank-ca.crt")
context.load_cert_chain(Path(KEYS) / "client.crt", Path(KEYS) / "client.key")
own = threading.local()


@app.task(queue="charges", pass_context=False)
def charge(**body: object) -> None:
    if not hasattr(own, "connection"):
        own.connection = HTTPSConnection(BANK.removeprefix("https://"), context=context)
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(body["reference"])}
    own.connection.request("POST", "/v1/authorizations", json.dumps(body).encode(), headers)
    if json.loads(own.connection.getresponse().read())["outcome"] != "approved":
        raise RuntimeError("not approved")


async def main() -> None:
    async with app.open_async():
        if not await app.check_connection_async():
            await app.schema_manager.apply_schema_async()
        while line := await asyncio.to_thread(sys.stdin.readline):
            bodies = [json.loads(line) | {"reference": f"P{time.time_ns()}-{number}"} for number in range(int(JOBS))]
            await charge.batch_defer_async(*bodies)
            began, cpu = time.perf_counter(), time.process_time()
            await app.run_worker_async(
                queues=["charges"],
                concurrency=int(WORKERS),
                wait=False,
                install_signal_handlers=False,
                listen_notify=False,
            )
            print(time.perf_counter() - began, time.process_time() - cpu, flush=True)


asyncio.run(main())
