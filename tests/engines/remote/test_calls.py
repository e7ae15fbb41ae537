"""Operations are generators: who runs them, and what they are told."""

import asyncio

import pytest
from scripted_transport import Scripted

from queuestream.aws.remote.calls import Call, Pause, run, run_async

PURGE = Call("sqs", "PurgeQueue", {"QueueUrl": "https://example.com/1/emails"})


class ScriptedAsync(Scripted):
    async def do(self, step):
        return super().do(step)


def both_ways(steps, *script):
    """What an operation gives in a thread; it has to be the same in a task."""
    transport, twin = Scripted(*script), ScriptedAsync(*script)
    result = run(steps(), transport)
    assert asyncio.run(run_async(steps(), twin)) == result
    assert twin.done == transport.done
    return result, transport


def test_an_operation_is_sent_the_answers_and_its_result_comes_back():
    def steps():
        first = yield PURGE
        nothing = yield Pause(0.5)
        second = yield PURGE
        return first, nothing, second

    result, transport = both_ways(steps, "one", "two")
    assert result == ("one", None, "two")
    assert transport.done == [PURGE, Pause(0.5), PURGE]


def test_an_operation_that_asks_for_nothing_gives_its_result():
    def steps():
        return "at once"
        yield

    result, transport = both_ways(steps)
    assert (result, transport.done) == ("at once", [])


def test_what_a_call_raises_is_raised_where_the_operation_asked():
    def steps():
        try:
            yield PURGE
        except LookupError as error:
            return f"heard of {error}"

    assert both_ways(steps, LookupError("it"))[0] == "heard of it"


def test_what_an_operation_does_not_catch_its_caller_gets():
    def steps():
        yield PURGE

    with pytest.raises(LookupError, match="it"):
        run(steps(), Scripted(LookupError("it")))
    with pytest.raises(LookupError, match="it"):
        asyncio.run(run_async(steps(), ScriptedAsync(LookupError("it"))))


def test_a_task_that_is_cancelled_leaves_no_operation_behind():
    ended = []

    def steps():
        try:
            yield PURGE
        finally:
            ended.append("tidied up")

    class Stuck:
        async def do(self, step):
            await asyncio.Event().wait()

    async def main():
        task = asyncio.create_task(run_async(steps(), Stuck()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert ended == ["tidied up"]
