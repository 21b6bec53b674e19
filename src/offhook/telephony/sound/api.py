"""The routes of what callers hear."""

import asyncio

from offhook.access.gate import reply_of
from offhook.directory.lines.model import Target
from offhook.directory.paths import V1, id_of
from offhook.kit import clock
from offhook.kit.errors import NotFound, Unavailable
from offhook.kit.operation import Call, Operation, Reply
from offhook.routing.plan import Prompt
from offhook.telephony.sound import wire
from offhook.telephony.sound.said import id_of as name_of
from offhook.telephony.sound.said import prompts_of
from offhook.telephony.sound.working import Speech

TAG = "Voice prompts"
SCOPE = "calls:read"
PATIENCE = 20.0
"""Seconds in which a sound is made that somebody wishes to listen to."""

_KINDS = {"offices": ("office", "an office"), "departments": ("department", "a department"),
          "callcenters": ("callcenter", "a call center")}  # fmt: skip


def operations(speech: Speech) -> list[Operation]:
    """The operations of this subject."""
    return [operation for folder in _KINDS for operation in _of_kind(speech, folder)]


def _of_kind(speech: Speech, folder: str) -> list[Operation]:
    kind, noun = _KINDS[folder]

    async def prompts(call: Call) -> list[Prompt]:
        company, target = await speech.company(call.principal.tenant_id), Target(kind, id_of(call))
        if target not in company.lines:
            raise NotFound(f"There is no {kind} {target.id} in the company.")
        return await asyncio.to_thread(prompts_of, company, target, clock.now())

    async def heard(call: Call) -> Reply:
        items = [await _shown(speech, call.principal.tenant_id, one) for one in await prompts(call)]
        engine = speech.sounds.engine
        return reply_of(wire.Heard(items=items, engine=engine.name if engine is not None else ""))

    async def audio(call: Call) -> Reply:
        asked = call.params["heard"]
        for one in await prompts(call):
            if name_of(one) == asked:
                wav, how = await speech.sounds.wav(call.principal.tenant_id, one, PATIENCE)
                if not wav:
                    raise Unavailable("Its sound cannot be made at the moment; the log says why.")
                return Reply(body=wav, media=b"audio/wav", headers=((b"offhook-made-from", how.encode()),))
        raise NotFound(f"Callers of this {kind} hear nothing with this id now; list what they hear.")

    return [
        Operation(
            id=f"offhook.{folder}.heard",
            method="GET",
            path=f"{V1}/{folder}/{{id}}/heard",
            tag=TAG,
            summary=f"Show what callers of {noun} hear",
            description=(
                "Every prompt of the line, while it is open and while it is closed, as the decisions of real calls "
                "have it, and whether it is a recording, spoken, or beeps because nothing on this machine speaks."
            ),
            handler=heard,
            scope=SCOPE,
            reply=wire.Heard,
            reply_description="The prompts, and what speaks them.",
            note="which prompts are recorded, spoken or beeps",
        ),
        Operation(
            id=f"offhook.{folder}.heard_audio",
            method="GET",
            path=f"{V1}/{folder}/{{id}}/heard/{{heard}}/audio",
            tag=TAG,
            summary=f"Listen to what callers of {noun} hear",
            description=(
                "WAV, 8 kHz, mono, as a telephone plays it; it is made if it is not there yet. The header "
                "`Offhook-Made-From` says what it was made from in the end."
            ),
            handler=audio,
            scope=SCOPE,
            reply_media="audio/wav",
            reply_description="The sound.",
            note="WAV as callers hear it; made if need be",
        ),
    ]


async def _shown(speech: Speech, tenant_id: int, prompt: Prompt) -> wire.HeardPrompt:
    seconds, fault = await speech.sounds.there(tenant_id, prompt)
    how = speech.sounds.intended(prompt)
    assert how != "nothing"
    return wire.HeardPrompt(
        id=name_of(prompt), made_from=how, text=prompt.text, purpose=prompt.purpose, recording=prompt.recording,
        seconds=seconds or None, fault="" if seconds else fault,
    )  # fmt: skip
