"""What the worker asks of the store, in one place: `Desk` of service.py over telephones, carriers and ways."""

from offhook.telephony import port
from offhook.telephony.origin import Origin
from offhook.telephony.phones.registering import Registrar
from offhook.telephony.trunks.service import Trunks
from offhook.telephony.ways import Ways


class Front:
    """The telephones and carriers of all companies. `realm` is what passwords are good for."""

    def __init__(
        self, registrar: Registrar, trunks: Trunks, ways: Ways, realm: str, limits: port.Limits | None = None
    ) -> None:
        self._registrar, self._trunks, self._ways = registrar, trunks, ways
        self._realm, self._limits = realm, limits or port.Limits()

    async def account(self, username: str) -> port.Account:
        """Who a username is; without digests if nobody."""
        return await self._registrar.account(username)

    async def register(self, asked: port.Register) -> port.Registered:
        """Where a telephone is reached from now on, on disk."""
        return await self._registrar.register(asked)

    async def origin(self, came: port.Incoming, *, patient: bool = False) -> Origin | None:
        """Whose call it is; None if nobody's. With `patient` the store is waited for also where help may be called."""
        return await self._ways.origin(came, patient=patient)

    async def configured(self) -> port.Configure:
        """The carriers there are, and limits; and where telephones are, which are no carriers.

        Those that help is called by are remembered, for when they cannot be read.
        """
        await self._ways.know_carriers()
        return port.Configure(
            trunks=await self._trunks.configured(), limits=self._limits, realm=self._realm,
            telephones=await self._registrar.places(),
        )  # fmt: skip
