"""The routes of contacts."""

from offhook.access.v2 import V2_OPERATIONS
from offhook.directory.contacts import wire
from offhook.directory.contacts.service import Contacts
from offhook.directory.paths import V1, V2, ForceQuery
from offhook.directory.work import Work
from offhook.kit.operation import Operation

TAG = "Contacts"


def operations(work: Work) -> list[Operation]:
    """The operations of this subject."""
    contacts = Contacts(work)
    one = "The contact."
    return [
        Operation(
            id="contacts.list",
            method="GET",
            path=V2 + "/contacts",
            tag=TAG,
            summary="List contacts",
            description="The company's shared contacts, oldest first; those of a user with owner_id.",
            handler=contacts.page,
            scope="directory:read",
            query=wire.ContactListQuery,
            reply=wire.ContactPage,
            reply_description="A page of contacts.",
            better="a cursor holds for seven days",
        ),
        Operation(
            id="contacts.create",
            method="POST",
            path=V2 + "/contacts",
            tag=TAG,
            summary="Create a contact",
            description="Shared by the company, or with owner_id a user's own.",
            handler=contacts.create,
            scope="directory:write",
            limit=V2_OPERATIONS["contacts.create"].limit,
            body=wire.ContactIn,
            reply=wire.ContactOut,
            reply_description=one,
            creates=True,
            refusals=(409,),
            better="takes numbers as they are dialled in the company's country, and says what it read",
        ),
        Operation(
            id="contacts.create_with_uid",
            method="PUT",
            path=V2 + "/contacts",
            tag=TAG,
            summary="Create or replace a contact",
            description="The shared contact with this uid becomes what the body says, and is made if there is none.",
            handler=contacts.put,
            scope="directory:write",
            limit=V2_OPERATIONS["contacts.create_with_uid"].limit,
            body=wire.ContactUidIn,
            reply=wire.ContactOut,
            reply_description=one,
            creates=True,
            refusals=(409, 412),
            better="target_id, an additive field, is the number that routing actions name a contact with a uid by",
            note="a field that is not sent is emptied; the id is shared_contact_pool_Company:{company}_uid_{uid}",
        ),
        Operation(
            id="contacts.get",
            method="GET",
            path=V2 + "/contacts/{id:text}",
            tag=TAG,
            summary="Show a contact",
            handler=contacts.get,
            scope="directory:read",
            reply=wire.ContactOut,
            reply_description=one,
        ),
        Operation(
            id="contacts.update",
            method="PATCH",
            path=V2 + "/contacts/{id:text}",
            tag=TAG,
            summary="Change a contact",
            description="What is not sent stays as it is; an empty text or list takes a value away.",
            handler=contacts.change,
            scope="directory:write",
            body=wire.ContactPatch,
            reply=wire.ContactOut,
            reply_description=one,
            refusals=(409, 412),
        ),
        Operation(
            id="contacts.delete",
            method="DELETE",
            path=V2 + "/contacts/{id:text}",
            tag=TAG,
            summary="Delete a contact",
            description="Refused while calls are sent to it, unless force is true: then they go to voicemail.",
            handler=contacts.delete,
            scope="directory:write",
            query=ForceQuery,
            reply=wire.ContactOut,
            reply_description="The contact as it was.",
            refusals=(409, 412),
            better="is refused while calls are sent there",
        ),
        Operation(
            id="offhook.contacts.get",
            method="GET",
            path=V1 + "/contacts/{id:text}",
            tag=TAG,
            summary="Show a contact with what v2 leaves out",
            description="Its uid, its dates, and the number by which a routing action names it.",
            handler=contacts.get_whole,
            scope="directory:read",
            reply=wire.ContactWhole,
            reply_description="The contact.",
        ),
    ]
