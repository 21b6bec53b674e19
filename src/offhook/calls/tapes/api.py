"""The routes of messages and recordings."""

from collections.abc import Awaitable, Callable
from typing import Any

from offhook.calls.tapes import wire
from offhook.calls.tapes.model import Kind
from offhook.calls.tapes.service import NOUNS, PATHS, V1, Listening
from offhook.kit.operation import Call, Handler, Operation, Reply

TAG = "Messages and recordings"
READ, WRITE = "recordings:read", "recordings:write"
_WAV = "WAV with the sound as the call had it. Parts are given to who asks for them by `Range`."


def operations(listening: Listening) -> list[Operation]:
    """The operations of this subject."""
    return [
        *_of_a_kind(listening, "voicemail", wire.VoicemailPage, wire.VoicemailQuery, wire.VoicemailOut),
        Operation(
            id="offhook.voicemails.update",
            method="PATCH",
            path=PATHS["voicemail"] + "/{id}",
            tag=TAG,
            summary="Mark a voicemail as read",
            description="Or as unread again.",
            handler=listening.mark,
            scope=WRITE,
            body=wire.VoicemailPatch,
            reply=wire.VoicemailOut,
            reply_description="The message.",
            note="`read`",
        ),
        *_of_a_kind(listening, "recording", wire.RecordingPage, wire.TapeQuery, wire.RecordingOut),
        Operation(
            id="offhook.sounds.get",
            method="GET",
            path=V1 + "/sounds/{link}",
            tag=TAG,
            summary="Listen by a link",
            description=f"Without a key, as long as the link is good and what it plays is there. {_WAV}",
            handler=listening.linked,
            scope=READ,
            admit=listening.links.admit,
            ranged=True,
            reply_media="audio/wav",
            reply_description="The sound.",
            note="without an API key, by who has the link",
        ),
    ]


def _of_a_kind(listening: Listening, kind: Kind, page: Any, query: Any, one: Any) -> list[Operation]:
    def bound(handler: Callable[[Call, Kind], Awaitable[Reply]]) -> Handler:
        return lambda call: handler(call, kind)

    noun, path = NOUNS[kind], PATHS[kind]
    return [
        Operation(
            id=f"offhook.{noun}s.list",
            method="GET",
            path=path,
            tag=TAG,
            summary=f"List {noun}s",
            description="The latest first; those of one box, one office or one call.",
            handler=bound(listening.page),
            scope=READ,
            query=query,
            reply=page,
            reply_description=f"A page of {noun}s.",
            note="by box, office or call; a user's key sees what that user may hear",
        ),
        Operation(
            id=f"offhook.{noun}s.get",
            method="GET",
            path=path + "/{id}",
            tag=TAG,
            summary=f"Show a {noun}",
            description="Whose it is, how long, and where it is heard.",
            handler=bound(listening.get),
            scope=READ,
            reply=one,
            reply_description=f"The {noun}.",
            note="who called, how long, size and digest",
        ),
        Operation(
            id=f"offhook.{noun}s.delete",
            method="DELETE",
            path=path + "/{id}",
            tag=TAG,
            summary=f"Delete a {noun}",
            description="With its sound; links to it are good no more.",
            handler=bound(listening.delete),
            scope=WRITE,
            reply=one,
            reply_description=f"The {noun} as it was.",
            note="with its sound and all links to it",
        ),
        Operation(
            id=f"offhook.{noun}s.sound",
            method="GET",
            path=path + "/{id}/sound",
            tag=TAG,
            summary=f"Listen to a {noun}",
            description=_WAV,
            handler=bound(listening.sound),
            scope=READ,
            ranged=True,
            reply_media="audio/wav",
            reply_description="The sound.",
            note="WAV; `Range` and `If-Range`; its `ETag` is the file's digest",
        ),
        Operation(
            id=f"offhook.{noun}s.link",
            method="POST",
            path=path + "/{id}/link",
            tag=TAG,
            summary=f"Make a link to a {noun}",
            description="Whoever has it can listen without a key, to this and nothing else, until it ends.",
            handler=bound(listening.link),
            scope=READ,
            body=wire.LinkIn,
            body_required=False,
            reply=wire.LinkOut,
            reply_description="The link.",
            note="`seconds`, up to seven days",
        ),
    ]
