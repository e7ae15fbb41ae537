"""Ordinary asyncio programs on one virtual clock, where a seed chooses what runs next.

`World` (`world.py`) is what users see.  Its parts: an event loop without sockets, whose time is the
world's (`event_loop.py`); actors, one for each task, among which the seed chooses (`actors.py`); the clock
(`clock.py`); the streams of chance (`chance.py`); the trace of what was decided (`trace.py`).
"""
