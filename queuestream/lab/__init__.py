"""The lab: what order and delivery does one really get?

Three things, each usable alone.  A *simulation* (`World`) runs ordinary `async def` programs on
one virtual clock; what runs next is chosen by a seed.  A *history* (`History`) is what clients saw, a
flat list of events, recorded beside our own queues and streams, beside boto3 on any endpoint, or
read from JSON lines that anybody wrote.  *Verdicts and metrics* (`check`, `measure`) say of a
history whether something was lost or out of order, and how much.

`queuestream lab` plays scenarios and draws what came out; docs/explanation/ordering.md tells what
was learnt.
"""
