"""The same queues and streams over AWS itself, or any endpoint that speaks as it does.

    RemoteBroker, AsyncRemoteBroker     what `connect("aws://...")` gives, for threads and for asyncio
    Retries                             how often and how late a call that failed is made again

How it works.  An operation is written once, without I/O: a generator that yields the calls it wants made
(`calls`) and is sent AWS's answers; `queue_operations` and `stream_operations` have one for each operation
of the core's.  `retrying` stands between: it makes a call again that was throttled or lost, and turns what
botocore raises into the core's errors (`failures`).  A transport makes the calls, by boto3 in a thread or
by aiobotocore in a task (`transports`).

What the core decides, AWS decides here: no rule of SQS or Kinesis is in this package.
"""
