"""The routes of telephones."""

from offhook.directory.paths import V1
from offhook.kit.operation import Operation
from offhook.telephony.phones import wire
from offhook.telephony.phones.service import Phones

TAG = "Phones"
PATH = f"{V1}/phones"


def operations(phones: Phones) -> list[Operation]:
    """The operations of this subject."""
    return [
        Operation(
            id="offhook.phones.list",
            method="GET",
            path=PATH,
            tag=TAG,
            summary="List telephones",
            description="The devices that sign in by SIP, oldest first: what is entered into each, and where it is "
            "reached now.",
            handler=phones.page,
            scope="directory:read",
            query=wire.PhoneQuery,
            reply=wire.PhonePage,
            reply_description="A page of telephones.",
            note="who is registered",
        ),
        Operation(
            id="offhook.phones.get",
            method="GET",
            path=f"{PATH}/{{id}}",
            tag=TAG,
            summary="Show a telephone",
            description="Server, username and realm to enter into it, and where it is reached now. Its id is the "
            "device's.",
            handler=phones.get,
            scope="directory:read",
            reply=wire.PhoneOut,
            reply_description="The telephone, without its password.",
            note="settings of a softphone",
        ),
        Operation(
            id="offhook.phones.new_password",
            method="POST",
            path=f"{PATH}/{{id}}/new-password",
            tag=TAG,
            summary="Give a telephone a new password",
            description="The first one, which comes with its username, or another: then whoever signed in with the one "
            "before is reached no more.",
            handler=phones.new_password,
            scope="directory:write",
            reply=wire.PasswordOut,
            reply_description="The telephone and its password, this once.",
            note="shown this once",
        ),
    ]
