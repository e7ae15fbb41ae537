"""What is for asyncio, called as what is for threads: for tests of both."""

import asyncio
import inspect


class Awaiting:
    """Each operation of a thing runs an event loop of its own until it is done."""

    def __init__(self, thing):
        self.thing = thing

    def __getattr__(self, name):
        value = getattr(self.thing, name)
        if not inspect.iscoroutinefunction(value):
            return value
        return lambda *arguments, **named: asyncio.run(value(*arguments, **named))
