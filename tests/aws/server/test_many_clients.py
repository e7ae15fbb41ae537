"""Five hundred long polls and sixty-four writers: nothing lost, nothing twice, no memory kept."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

POLLERS = 500
WRITERS = 64
MESSAGES_PER_WRITER = 50
ROUNDS = 4
FEW_PAGES_BYTES = 3_000_000


class Connection:
    """One client's connection, by hand: five hundred SDKs would measure themselves."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port):
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, operation, **request):
        body = json.dumps(request).encode()
        self._writer.write(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
            b"X-Amz-Target: AmazonSQS.%s\r\nContent-Length: %d\r\n\r\n%s"
            % (operation.encode(), len(body), body)
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])
        answer = json.loads(await self._reader.readexactly(length) or b"{}")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n"), answer
        return answer

    async def close(self):
        self._writer.close()
        await self._writer.wait_closed()


@pytest.fixture
def process():
    command = [sys.executable, "-m", "queuestream", "serve", "--port", "0", "--max-connections", "2000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def resident_bytes(process):
    """The memory that a process has; None where the system doesn't tell."""
    path = Path(f"/proc/{process.pid}/status")
    if not path.exists():
        return None
    return int(re.search(r"VmRSS:\s+(\d+) kB", path.read_text())[1]) * 1_024


async def play(port, round_number, received):
    """All writers send while all pollers wait; ends when everything that was sent has been deleted."""
    setup = await Connection.to(port)
    url = (await setup.ask("CreateQueue", QueueName="work"))["QueueUrl"]
    await setup.close()
    sent = {
        f"{round_number} {writer} {number}"
        for writer in range(WRITERS)
        for number in range(MESSAGES_PER_WRITER)
    }
    wanted = {"QueueUrl": url, "WaitTimeSeconds": 2, "VisibilityTimeout": 600, "MaxNumberOfMessages": 10}
    left = len(sent)
    done = asyncio.Event()

    async def poll():
        nonlocal left
        connection = await Connection.to(port)
        while not done.is_set():
            answer = await connection.ask("ReceiveMessage", **wanted)
            for message in answer.get("Messages", ()):
                received[message["Body"]] += 1
                await connection.ask("DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                left -= 1
                if not left:
                    done.set()
        await connection.close()

    async def write(writer):
        connection = await Connection.to(port)
        for number in range(MESSAGES_PER_WRITER):
            await connection.ask("SendMessage", QueueUrl=url, MessageBody=f"{round_number} {writer} {number}")
        await connection.close()

    pollers = [asyncio.create_task(poll()) for _ in range(POLLERS)]
    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    await asyncio.wait_for(done.wait(), 60)
    await asyncio.gather(*pollers)
    return sent


@pytest.mark.slow
def test_nothing_is_lost_nothing_comes_twice_and_no_memory_is_kept(process):
    port = int(process.stdout.readline().rpartition(":")[2])
    sent, received, sizes = set(), Counter(), []

    for round_number in range(ROUNDS):
        sent |= asyncio.run(play(port, round_number, received))
        sizes.append(resident_bytes(process))

    assert set(received) == sent
    assert set(received.values()) == {1}
    if sizes[0] is not None:
        # The first round is what it takes; later ones take no more.
        assert sizes[-1] - sizes[1] < FEW_PAGES_BYTES, sizes
