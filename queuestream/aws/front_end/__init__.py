"""The wire, without sockets: from an `HttpRequest` to an `HttpResponse`.

    http.py          the request and the response, as values
    front_end.py     `FrontEnd.respond`: which operation is meant, who asks, what comes back
    reading.py       from what came over the wire to an operation's request, by its input shape
    constraints.py   what a request breaks of its shape's constraints
    errors.py        what an error is called on the wire: names, codes, status
    signatures.py    what an Authorization header says, and whether it is right
    protocols/       JSON, CBOR, query and XML, event streams

A server, botocore's endpoint and a test each carry these values in their own way.
"""
