"""The sounds that are ours, made once for all tests that do not look at how they are made."""

from pathlib import Path

import pytest

from offhook.telephony.sound.own import Own
from tests.telephony.sound import speaking


@pytest.fixture(autouse=True, scope="session")
def own_sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that they are in."""
    folder = tmp_path_factory.mktemp("own")
    Own(folder)
    speaking.OWN[:] = folder.iterdir()
    return folder
