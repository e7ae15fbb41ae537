"""What is dear about botocore is paid once: its models, megabytes of JSON, which each session reads anew."""

from functools import cache

import botocore.session
import pytest
from botocore.loaders import JSONFileLoader


class ReadOnce(JSONFileLoader):
    """Reads a file for all sessions, which stay apart in all else."""

    load_file = cache(JSONFileLoader.load_file)


@pytest.fixture(scope="session", autouse=True)
def files_are_read_once():
    """For botocore's own sessions: moto has a loader of its own, and writes into what it has loaded."""
    create_loader, files = botocore.session.create_loader, ReadOnce()

    def create(search_path_string=None):
        loader = create_loader(search_path_string)
        loader.file_loader = files
        return loader

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", create)
        yield
