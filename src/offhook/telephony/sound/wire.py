"""What lines say to callers, as the API tells it."""

from typing import Annotated, Literal

import msgspec

Meta = msgspec.Meta


class HeardPrompt(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A prompt of a line."""

    id: Annotated[str, Meta(description="By which it is listened to; another text is another one.")]
    made_from: Annotated[
        Literal["recording", "spoken", "tones"],
        Meta(description="An uploaded recording, its text by the engine, or beeps as there is none."),
    ]
    text: Annotated[str, Meta(description="What is spoken where there is no recording.")]
    purpose: Annotated[str, Meta(description="v2's ivr_type, absent for what only Offhook says.")] = ""
    recording: Annotated[str, Meta(description="SHA-256 of the uploaded file.")] = ""
    seconds: Annotated[float | None, Meta(description="How long it lasts; absent while it is not made.")] = None
    fault: Annotated[str, Meta(description="Why it could not be made when that was last tried.")] = ""


class Heard(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What callers of a line hear, while it is open and while it is closed."""

    items: Annotated[list[HeardPrompt], Meta(description="Each prompt once, as a caller comes to it.")] = []
    engine: Annotated[str, Meta(description="What speaks: flite, espeak-ng or command; absent if nothing does.")] = ""
