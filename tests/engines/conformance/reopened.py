"""A broker that is closed and opened again before each call: whoever uses it has names, not things."""

from queuestream import Broker, Queue, Stream


class Reopened:
    """A broker, queue or stream that is found anew for each use.

    Args:
        kind: Its class.
        find: What it is now; opens the broker again first.
        known: What it is, without asking: its name.
    """

    def __init__(self, kind, find, **known):
        self.__dict__.update(known, _kind=kind, _find=find)

    def __getattr__(self, name):
        if callable(getattr(self._kind, name, None)):
            return lambda *args, **kwargs: self._outside(getattr(self._find(), name)(*args, **kwargs))
        return self._outside(getattr(self._find(), name))

    def _outside(self, value):
        """A value as it leaves a call: queues and streams by their names."""
        if isinstance(value, Queue):
            return Reopened(
                Queue, lambda: self._broker().queue(value.name), name=value.name, _broker=self._broker
            )
        if isinstance(value, Stream):
            return Reopened(
                Stream, lambda: self._broker().stream(value.name), name=value.name, _broker=self._broker
            )
        if isinstance(value, list):
            page = type(value)(map(self._outside, value))
            if hasattr(value, "next_token"):
                page.next_token = value.next_token
            return page
        return value


def reopened(open_broker):
    """A broker like this, and what closes it in the end."""
    opened = []

    def again():
        for broker in opened:
            broker.close()
        opened[:] = [open_broker()]
        return opened[0]

    return Reopened(Broker, again, _broker=again), lambda: [broker.close() for broker in opened]
