"""What is dear about botocore is paid once: its models, megabytes of JSON, which each session reads anew."""

from functools import cache

import pytest
from botocore.loaders import JSONFileLoader


@pytest.fixture(scope="session", autouse=True)
def files_are_read_once():
    """Sessions stay apart in all else; of what was read, the clients of one session share all anyway."""
    loader = JSONFileLoader()
    load_file = cache(loader.load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda self, file_path: load_file(file_path))
        yield
