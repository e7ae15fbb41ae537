"""What Kinesis Data Streams means: streams, shards, records, and who reads them."""
