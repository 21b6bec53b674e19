"""Where `${workflow.env.NAME}` comes from: the variables of the server's environment that are named for workflows.

Nothing else of the environment can be read, and secrets have names of their own (`tasks/secrets.py`): what is read here
is stored with the run, and shown.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from offhook.kit.errors import Notice, shown
from offhook.kit.settings import PREFIX
from offhook.workflows.definitions.places import references
from offhook.workflows.definitions.steps import steps_within

ENV = PREFIX + "ENV_"
_BEGIN = "workflow.env"


def settings(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables whose names begin with `ENV`, by the rest of their names."""
    kept = os.environ if environment is None else environment
    return {name.removeprefix(ENV): value for name, value in kept.items() if name.startswith(ENV) and name != ENV}


def unset(raw: Mapping[str, Any], kept: Mapping[str, str]) -> Iterator[Notice]:
    """What is to be said of a definition that reads settings which are not among those that are `kept`."""
    parts = [(step.inputs, f"{step.place}.inputParameters") for step in steps_within(raw)]
    for value, at in (*parts, (raw.get("outputParameters"), "outputParameters")):
        for one in references(value, at):
            name = one.expression.removeprefix(_BEGIN + ".").partition(".")[0].partition("[")[0]
            if one.expression.startswith(_BEGIN + ".") and name not in kept:
                text = f"{ENV}{shown(name)} is not set on this server: ${{{shown(one.expression)}}} is null."
                yield Notice("env_unset", one.place, text)
