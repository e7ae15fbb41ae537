"""Speaking AWS: the same queues and streams, for programs written against SQS and Kinesis.

    mock_aws            boto3 and aiobotocore answered in this process: a context manager and a decorator
    wire                one client, or one session, answered in this process; nothing else is touched
    serve               the same over HTTP, for every SDK: a context manager; `queuestream serve` in a shell
    Aws                 the accounts and regions behind all of these: brokers on one clock, with one seed
    FaultPlan           what goes wrong, when: throttling, errors, lost answers

How a request goes.  A carrier (`in_process`, `server`) takes it from a client; the `front_end` knows
the wire (protocols, signatures, AWS's words for what is malformed); `operations` has one short function
for each operation of AWS's, from AWS's names to the core's and back; the core decides.

What is not used is not loaded: this package is imported only by who asks for it, and needs the
extra `aws` (botocore), the server the extra `server`.
"""
