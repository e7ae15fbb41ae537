"""AWS's protocols: how requests are read, and how answers and errors are written."""
