"""The routes of shipped definitions."""

from offhook.kit.operation import Operation
from offhook.workflows.definitions.api import BASE, READ, TAG, WRITE
from offhook.workflows.shipped import wire
from offhook.workflows.shipped.service import Taking

PATH = f"{BASE}/shipped"


def operations(taking: Taking) -> list[Operation]:
    """The operations of this subject."""
    return [
        Operation(
            id="offhook.workflows.shipped.list",
            method="GET",
            path=PATH,
            tag=TAG,
            summary="List shipped workflow definitions",
            description="Those that come with Offhook, with their inputs, and which version of each is registered.",
            handler=taking.listed,
            scope=READ,
            reply=wire.ShippedPage,
            reply_description="All of them.",
            note="what comes with Offhook",
        ),
        Operation(
            id="offhook.workflows.shipped.take",
            method="POST",
            path=f"{PATH}/{{name}}",
            tag=TAG,
            summary="Register a shipped workflow definition",
            description="As a new version of its name, together with its failure workflow. Where the latest version is "
            "the same already, nothing is changed.",
            handler=taking.take,
            scope=WRITE,
            body=wire.TakeIn,
            body_required=False,
            reply=wire.TakenOut,
            reply_description="What is registered under its name, and its failure workflow.",
            creates=True,
            refusals=(409,),
            note="with its failure workflow",
        ),
    ]
