"""Channels as v2 has them."""

from typing import Annotated

import msgspec

from offhook.directory.channels.model import Channel, Privacy
from offhook.directory.lines.wire import SingleLine, State
from offhook.directory.users.model import User
from offhook.kit.wire import Int64, Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta


class ChannelIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A channel to create."""

    name: Annotated[SingleLine, Meta(description="The channel's name.", examples=["Front desk"])]
    description: Annotated[str, Meta(description="What it is for; at most 1,024 characters, may be empty.")]
    privacy_type: Annotated[Privacy, Meta(description="Who may find it.")]
    user_id: Annotated[Int64 | None, Meta(description="The user who owns it, and is its first member.")] = None


class ChannelMemberIn(msgspec.Struct, kw_only=True):
    """Who joins or leaves."""

    user_id: Annotated[Int64, Meta(description="The user.")]


class ChannelOut(msgspec.Struct, kw_only=True):
    """A channel as v2 answers it."""

    id: Int64Text
    name: str


class ChannelPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of channels."""

    items: list[ChannelOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class ChannelMemberOut(msgspec.Struct, kw_only=True):
    """A member of a channel as v2 answers it."""

    id: Annotated[Int64Text, Meta(description="The user's id.")]
    name: str


class ChannelMemberPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of members."""

    items: list[ChannelMemberOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class ChannelListQuery(msgspec.Struct):
    """Which channels."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    state: Annotated[State, Meta(description="Those in this state; deleted ones are found by it, too.")] = "active"


class ChannelMemberListQuery(msgspec.Struct):
    """Which page."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None


def channel_out(kept: Kept[Channel]) -> ChannelOut:
    """A channel as v2 answers it."""
    return ChannelOut(id=str(kept.id), name=kept.value.name)


def member_out(kept: Kept[User]) -> ChannelMemberOut:
    """A member as v2 answers it."""
    return ChannelMemberOut(id=str(kept.id), name=kept.value.display_name)
