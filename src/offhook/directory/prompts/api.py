"""The routes of prompts."""

from offhook.access.v2 import V2_OPERATIONS
from offhook.directory.paths import V1, V2
from offhook.directory.prompts import wire
from offhook.directory.prompts.service import Prompts
from offhook.directory.work import Work
from offhook.kit.operation import MIB, Operation

TAG = "Voice prompts"
_CHOICE = V2 + "/customivrs/{target_type}/{target_id}/{ivr_type}"
_UPLOAD = 12 * MIB
"""A file of 8 MiB in base64, in lines, and what stands around it."""


def operations(work: Work) -> list[Operation]:
    """The operations of this subject."""
    prompts = Prompts(work)
    return [
        Operation(
            id="custom_ivrs.get",
            method="GET",
            path=V2 + "/customivrs",
            tag=TAG,
            summary="List a target's voice prompts",
            description="By purpose. A page ends with a purpose, never within one.",
            better="a purpose is never split over two pages",
            handler=prompts.of_target,
            scope="directory:read",
            limit=V2_OPERATIONS["custom_ivrs.get"].limit,
            query=wire.IvrListQuery,
            reply=wire.IvrPage,
            reply_description="The target's prompts by purpose.",
            refusals=(404,),
        ),
        Operation(
            id="ivr.create",
            method="POST",
            path=V2 + "/customivrs",
            tag=TAG,
            summary="Upload a voice prompt",
            description=(
                "Keeps a recording, converts it to what telephones play, and has the target play it from now on. A "
                "file that is no whole MP3 or WAV file is refused, saying what it is."
            ),
            better="WAV too; says what a refused file is; the same file is kept once",
            handler=prompts.create,
            scope="directory:write",
            limit=V2_OPERATIONS["ivr.create"].limit,
            body=wire.IvrIn,
            body_limit=_UPLOAD,
            reply=wire.IvrDetailsOut,
            reply_description="The prompt.",
            creates=True,
            refusals=(409,),
        ),
        Operation(
            id="ivr_details.update",
            method="PATCH",
            path=V2 + "/customivrs/{ivr_id:text}",
            tag=TAG,
            summary="Rename a voice prompt",
            description="What is not sent stays as it is.",
            better="an empty text removes it",
            handler=prompts.change,
            scope="directory:write",
            limit=V2_OPERATIONS["ivr_details.update"].limit,
            body=wire.IvrPatch,
            reply=wire.IvrDetailsOut,
            reply_description="The prompt; selected if any target plays it.",
            refusals=(409, 412),
        ),
        Operation(
            id="ivr.update",
            method="PATCH",
            path=_CHOICE,
            tag=TAG,
            summary="Choose a target's voice prompt",
            description="Has a target play an uploaded prompt for a purpose, instead of the one that it played.",
            better="a prompt that was uploaded for another target or purpose may be chosen too",
            handler=prompts.choose,
            scope="directory:write",
            limit=V2_OPERATIONS["ivr.update"].limit,
            body=wire.IvrChoice,
            reply=wire.IvrOut,
            reply_description="All that the target has for this purpose.",
            refusals=(409,),
        ),
        Operation(
            id="ivr.delete",
            method="DELETE",
            path=_CHOICE,
            tag=TAG,
            summary="Delete a target's voice prompt",
            description=(
                "Takes a prompt from a target. When no other target or purpose has it, it is deleted with its "
                "recording. ivr_id stands in the body, or in the query."
            ),
            better="`ivr_id` may stand in the query; a prompt that others have too is kept for them",
            handler=prompts.delete,
            scope="directory:write",
            limit=V2_OPERATIONS["ivr.delete"].limit,
            query=wire.IvrQuery,
            body=wire.IvrChoiceOrQuery,
            body_required=False,
            reply=wire.IvrDetailsOut,
            reply_description="The prompt as it was.",
            refusals=(412,),
        ),
        Operation(
            id="offhook.prompts.list",
            method="GET",
            path=V1 + "/prompts",
            tag=TAG,
            summary="List all voice prompts",
            description="Those of the whole company, oldest first.",
            note="of all targets",
            handler=prompts.page,
            scope="directory:read",
            query=wire.PromptListQuery,
            reply=wire.PromptPage,
            reply_description="A page of prompts.",
        ),
        Operation(
            id="offhook.prompts.get",
            method="GET",
            path=V1 + "/prompts/{id}",
            tag=TAG,
            summary="Show a voice prompt",
            description="With how long it lasts, and where it is in use.",
            note="duration, size, digest, where it is in use, `ETag`",
            handler=prompts.get,
            scope="directory:read",
            reply=wire.PromptOut,
            reply_description="The prompt.",
        ),
        Operation(
            id="offhook.prompts.audio",
            method="GET",
            path=V1 + "/prompts/{id}/audio",
            tag=TAG,
            summary="Listen to a voice prompt",
            description="As callers hear it: WAV, 8 kHz, mono, 16 bits.",
            note="WAV as callers hear it; its `ETag` is the file's digest",
            handler=prompts.audio,
            scope="directory:read",
            reply_media="audio/wav",
            reply_description="The sound.",
        ),
    ]
