"""What SQS and Kinesis mean, given the time: no file, no socket, no thread, no wall clock."""
