"""Starting queuestream from a shell: `queuestream`, or `python -m queuestream`."""
