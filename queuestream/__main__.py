"""`python -m queuestream` is the command `queuestream`."""

import sys

from queuestream.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
