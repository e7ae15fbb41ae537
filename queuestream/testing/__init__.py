"""Helping the tests of others: what holds an engine, or a program, to what SQS and Kinesis do.

conformance     one suite of tests, for any engine that says it is a broker; needs pytest
"""
