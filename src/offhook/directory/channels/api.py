"""The routes of channels."""

from offhook.access.doing import Done
from offhook.directory.channels import wire
from offhook.directory.channels.service import Channels
from offhook.directory.paths import V2, ForceQuery
from offhook.directory.work import Work
from offhook.kit.operation import Operation

TAG = "Channels"


def operations(work: Work) -> list[Operation]:
    """The operations of this subject."""
    channels = Channels(work)
    return [
        Operation(
            id="channels.list",
            method="GET",
            path=V2 + "/channels",
            tag=TAG,
            summary="List channels",
            description="The company's channels, oldest first; active ones unless a state is named.",
            handler=channels.page,
            scope="directory:read",
            query=wire.ChannelListQuery,
            reply=wire.ChannelPage,
            reply_description="A page of channels.",
        ),
        Operation(
            id="channels.post",
            method="POST",
            path=V2 + "/channels",
            tag=TAG,
            summary="Create a channel",
            description="With user_id it has an owner, who is its first member.",
            handler=channels.create,
            scope="directory:write",
            body=wire.ChannelIn,
            reply=wire.ChannelOut,
            reply_description="The channel.",
            creates=True,
            refusals=(409,),
        ),
        Operation(
            id="channels.get",
            method="GET",
            path=V2 + "/channels/{id}",
            tag=TAG,
            summary="Show a channel",
            handler=channels.get,
            scope="directory:read",
            reply=wire.ChannelOut,
            reply_description="The channel.",
        ),
        Operation(
            id="channels.delete",
            method="DELETE",
            path=V2 + "/channels/{id}",
            tag=TAG,
            summary="Delete a channel",
            description="Refused while calls are sent to it, unless force is true: then they go to voicemail.",
            handler=channels.delete,
            scope="directory:write",
            query=ForceQuery,
            reply=Done,
            reply_description="An empty object.",
            refusals=(409, 412),
            better="is refused while calls are sent there",
            note="answers {}, so that clients that read every answer as JSON can",
        ),
        Operation(
            id="channels.members.list",
            method="GET",
            path=V2 + "/channels/{id}/members",
            tag=TAG,
            summary="List a channel's members",
            description="In the order of joining.",
            handler=channels.member_page,
            scope="directory:read",
            query=wire.ChannelMemberListQuery,
            reply=wire.ChannelMemberPage,
            reply_description="A page of members.",
        ),
        Operation(
            id="channels.members.post",
            method="POST",
            path=V2 + "/channels/{id}/members",
            tag=TAG,
            summary="Add a channel member",
            description="A user who is in the channel already stays in it.",
            handler=channels.add_member,
            scope="directory:write",
            body=wire.ChannelMemberIn,
            reply=wire.ChannelMemberOut,
            reply_description="The member.",
            creates=True,
            refusals=(409,),
        ),
        Operation(
            id="channels.members.delete",
            method="DELETE",
            path=V2 + "/channels/{id}/members",
            tag=TAG,
            summary="Remove a channel member",
            description="The user is named in the body, as v2 has it.",
            handler=channels.remove_member,
            scope="directory:write",
            body=wire.ChannelMemberIn,
            reply=Done,
            reply_description="An empty object.",
            note="answers {}, so that clients that read every answer as JSON can",
        ),
    ]
