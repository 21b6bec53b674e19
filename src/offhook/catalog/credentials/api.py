"""The routes of credentials."""

from offhook.access.doing import Done
from offhook.catalog.credentials import wire
from offhook.catalog.credentials.service import Credentials
from offhook.catalog.keeping import READ, V1, WRITE
from offhook.kit.operation import Operation

TAG = "Credentials"
PATH = f"{V1}/credentials"


def operations(credentials: Credentials) -> list[Operation]:
    """The operations of this subject."""
    return [
        Operation(
            id="offhook.credentials.list",
            method="GET",
            path=PATH,
            tag=TAG,
            summary="List credentials",
            description="Oldest first. What is secret is not shown.",
            handler=credentials.page,
            scope=READ,
            query=wire.CredentialQuery,
            reply=wire.CredentialPage,
            reply_description="A page of credentials.",
            note="what test requests are sent with",
        ),
        Operation(
            id="offhook.credentials.create",
            method="POST",
            path=PATH,
            tag=TAG,
            summary="Keep a credential",
            description="It is encrypted, never shown again, and sent to the hosts that it names only.",
            handler=credentials.create,
            scope=WRITE,
            body=wire.CredentialIn,
            reply=wire.CredentialOut,
            reply_description="The credential, without its secret.",
            creates=True,
            refusals=(409,),
            note="encrypted, for named hosts only",
        ),
        Operation(
            id="offhook.credentials.rotate_key",
            method="POST",
            path=f"{PATH}/rotate-key",
            tag=TAG,
            summary="Encrypt all credentials and secrets of hooks with the newest key",
            description="After a new key was put first in credentials_keys. What none opens stays, and is named.",
            handler=credentials.rotate,
            scope=WRITE,
            reply=wire.RotatedOut,
            reply_description="How many there were.",
            note="after a new key was set",
        ),
        Operation(
            id="offhook.credentials.get",
            method="GET",
            path=f"{PATH}/{{id}}",
            tag=TAG,
            summary="Show a credential",
            description="Without its secret.",
            handler=credentials.get,
            scope=READ,
            reply=wire.CredentialOut,
            reply_description="The credential.",
            note="without its secret",
        ),
        Operation(
            id="offhook.credentials.update",
            method="PATCH",
            path=f"{PATH}/{{id}}",
            tag=TAG,
            summary="Change a credential",
            description="Its secret stays if it is left out; it must be sent again with further hosts.",
            handler=credentials.update,
            scope=WRITE,
            body=wire.CredentialPatch,
            reply=wire.CredentialOut,
            reply_description="The credential, without its secret.",
            refusals=(409, 412),
            note="the secret stays where it was entered for",
        ),
        Operation(
            id="offhook.credentials.delete",
            method="DELETE",
            path=f"{PATH}/{{id}}",
            tag=TAG,
            summary="Delete a credential",
            handler=credentials.delete,
            scope=WRITE,
            reply=Done,
            reply_description="An empty object.",
            refusals=(412,),
            note="nothing secret stays in the store",
        ),
    ]
