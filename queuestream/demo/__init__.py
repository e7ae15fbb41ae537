"""The demo: the stories that SQS and Kinesis exist for, on real data, in virtual time.

    records         lines of JSON into the records that are played; broken lines named
    flights         the data that comes with the package
    gateway         what the workers call, and what fails: seeded
    stream_story    every record through a stream that is split and merged on the way
    queue_story     tasks on a standard queue: retries, dead letters, redrive
    fifo_story      the same tasks on a FIFO queue, in order for each key
    play            the three of them on one virtual clock
    verdicts        pure checkers: lost, duplicated, in order, how far out of order
    judgement       what the consumers saw, held against what was sent
    report          the table, the sentences, the JSON

Each story is a small example of the API.  What is concluded comes from what the consumers
saw; nothing asks the queue or the stream how it thinks it did.
"""
