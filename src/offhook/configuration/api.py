"""The routes of configuration as code."""

from offhook.configuration import wire
from offhook.configuration.service import Configuration
from offhook.configuration.text import MAX_BYTES
from offhook.configuration.wire import PATH
from offhook.kit.operation import Limit, Operation

LIMIT = Limit(count=30)


def operations(configuration: Configuration) -> list[Operation]:
    """The operations of this subject."""
    return [
        Operation(
            id="offhook.configuration.get",
            method="GET",
            path=PATH,
            tag="Configuration",
            summary="Show the company as a document",
            description=(
                "Offices, people, groups and all else by the names that people call them, without what has its "
                "default, and without secrets. The ETag stands for the company as it is now."
            ),
            note="the document that plan and apply take; `offhook export` writes it as YAML",
            handler=configuration.show,
            limit=LIMIT,
            query=wire.ConfigurationQuery,
            reply=wire.ConfigurationOut,
            reply_description="The document.",
        ),
        Operation(
            id="offhook.configuration.plan",
            method="POST",
            path=PATH + "/plan",
            tag="Configuration",
            summary="Say what a document would change",
            description=(
                "The document is carried out in a copy of the company, which nobody waits for: what the plan says is "
                "what an apply would do, and what an apply would be refused for is refused here, all at once. Places "
                "in refusals and warnings are paths in the document."
            ),
            note="changes field by field, before and after; nothing is stored",
            handler=configuration.plan,
            limit=LIMIT,
            body=wire.ConfigurationIn,
            body_limit=MAX_BYTES,
            reply=wire.PlanOut,
            reply_description="What would be created, changed and deleted.",
            refusals=(409,),
        ),
        Operation(
            id="offhook.configuration.apply",
            method="POST",
            path=PATH + "/apply",
            tag="Configuration",
            summary="Make the company what a document says",
            description=(
                "All of it in one transaction, in the order that the references between records need, or nothing. "
                "What is so already stays untouched. With the fingerprint of a plan it is refused (409) if the company "
                "changed since."
            ),
            note="all or nothing, `prune`, `fingerprint`",
            handler=configuration.apply,
            limit=LIMIT,
            body=wire.ConfigurationIn,
            body_limit=MAX_BYTES,
            reply=wire.PlanOut,
            reply_description="What was created, changed and deleted.",
            creates=True,
            refusals=(409,),
        ),
    ]
