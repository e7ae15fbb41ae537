"""What is known to differ from AWS, as data: one entry for each thing that a program could notice.

What is a choice of ours is explained in `docs/explanation/differences-from-aws.md`, under the heading that an
entry names; the page of the parity table lists them beside the behaviours that hold.
"""

from typing import NamedTuple


class Difference(NamedTuple):
    """What AWS does, what happens here, and the heading under which it is explained."""

    at_aws: str
    here: str
    heading: str


BETTER = "Better than the promise"
OFF = "Off unless you switch it on"
WITHOUT_EFFECT = "Kept, and without effect"
NOT_HERE = "Not here"
ON_THE_WIRE = "On the wire"
SMALL_PRINT = "Small print"

SQS = (
    Difference("Standard queues deliver in best-effort order.", "They deliver in order.", BETTER),
    Difference(
        "Standard queues deliver at least once: a message may come twice within its visibility timeout.",
        "It comes once.",
        BETTER,
    ),
    Difference("A deleted message may, rarely, be received once more.", "It is gone.", BETTER),
    Difference(
        "A short poll asks some of the servers and may miss messages.", "It finds what there is.", BETTER
    ),
    Difference(
        "Attributes, purges, deletions and new queues take up to 60 seconds to hold everywhere, a retention "
        "period 15 minutes.",
        "They hold at once; a broker that is made with `Consistency` takes AWS's time.",
        BETTER,
    ),
    Difference(
        "The numbers of messages are approximate, and up to a minute old.",
        "They are exact; with `Consistency` a standard queue's may be as old as at AWS.",
        BETTER,
    ),
    Difference(
        "A FIFO queue answers 300 calls of an action a second, more with high throughput, and throttles the "
        "rest.",
        "It does with `enforce_throughput` in its `QueueLimits`.",
        OFF,
    ),
    Difference(
        "The policy of a queue says who may do what.",
        "It is checked for its form, kept and shown; everybody may do everything.",
        WITHOUT_EFFECT,
    ),
    Difference(
        "Messages are encrypted with keys of AWS KMS; a key that is gone or denied is an error (`Kms...`).",
        "Keys are kept and shown; the errors come from a fault plan only.",
        WITHOUT_EFFECT,
    ),
    Difference(
        "SenderId is the id of the IAM user or role that sent the message.",
        "It is the account's id.",
        SMALL_PRINT,
    ),
    Difference(
        "A move task without a rate finds its own, and is CANCELLING for a while.",
        "It moves 500 messages a second, and is CANCELLED at once.",
        SMALL_PRINT,
    ),
    Difference(
        "An older receipt handle of a standard queue deletes nothing for certain.",
        "It deletes the message.",
        SMALL_PRINT,
    ),
    Difference(
        "Receipt handles and paging tokens are long and opaque.",
        "They are shorter; a token is the name of the last queue of its page.",
        SMALL_PRINT,
    ),
    Difference("Queues have metrics in CloudWatch.", "There are none.", NOT_HERE),
)

KINESIS = (
    Difference(
        "A record of PutRecords may fail by chance, an internal failure.",
        "It fails where a shard's allowance is used up and is enforced, or by a fault plan.",
        BETTER,
    ),
    Difference(
        "A shard takes 1,000 records and 1 MiB a second, and answers five reads.",
        "It does with `enforce_throughput`.",
        OFF,
    ),
    Difference("An on-demand stream adds shards as its load grows.", "It does with `scale_on_demand`.", OFF),
    Difference(
        "A stream is CREATING, UPDATING and DELETING for a while.",
        "It is with `provisioning_time_seconds`; otherwise it is ACTIVE, or gone, at once.",
        OFF,
    ),
    Difference(
        "A resource policy says who may read and write.",
        "It is checked for its form, kept and shown; everybody may do everything.",
        WITHOUT_EFFECT,
    ),
    Difference(
        "Records are encrypted with keys of AWS KMS.",
        "Keys are kept and shown; nothing is encrypted.",
        WITHOUT_EFFECT,
    ),
    Difference(
        "Shard-level metrics and warm throughput are at work.", "They are kept and shown.", WITHOUT_EFFECT
    ),
    Difference("Sequence numbers have gaps.", "They are evenly spaced.", SMALL_PRINT),
    Difference(
        "Channels deliver a stream's records to S3, and queues of Kinesis' own hand them out one by one.",
        "Their operations are not answered.",
        NOT_HERE,
    ),
    Difference(
        "A resource policy whose statements name another resource or an unknown action is refused.",
        "Its form is checked, and that it is JSON; its statements are not.",
        ON_THE_WIRE,
    ),
    Difference(
        "Sequence numbers of early years, such as `5`, are still taken where one is expected.",
        "They are refused.",
        ON_THE_WIRE,
    ),
)

BOTH = (
    Difference(
        "Every request is signed.",
        "Nobody has to sign, unless the server was given access keys.",
        ON_THE_WIRE,
    ),
    Difference(
        "An answer's `HTTPHeaders` have its `content-length`.",
        "A client in this process has none where nothing was serialised.",
        ON_THE_WIRE,
    ),
    Difference("Endpoints speak TLS.", "The server speaks plain HTTP/1.1 and HTTP/2.", NOT_HERE),
)

BY_SERVICE = {"SQS": SQS, "Kinesis": KINESIS, "Both": BOTH}
