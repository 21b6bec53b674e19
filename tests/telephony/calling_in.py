"""A server in a process of its own that is called over the wire: two people with telephones of the test's own hand, and
a carrier by which calls come in to their department.
"""

import secrets
import struct
import time
from typing import Any

from offhook.telephony.port import Address
from tests.survival.process import Answer, Process
from tests.telephony.worker.peers import Call, Message, Peer, authorization
from tests.telephony.worker.test_registering import URI, register

V1, V2 = "/api/offhook/v1", "/api/v2"
SETTINGS = {"sip": "true", "sip_port": 0, "egress_allow": "127.0.0.1/32", "speech": "none"}
WAIT = 15.0
CALLER = "+14155550123"


class House:
    """The sandbox of a server's company: Ann and Bob answer for its department Sales, which the carrier calls."""

    def __init__(self, server: Process) -> None:
        self.server = server
        self.phones: dict[str, Peer] = {}
        self.office = self.get(f"{V2}/offices")["items"][0]["id"]
        rings = {"action": "voicemail", "try_dial_operators": True, "operator_routing": "simultaneous"}
        body = {"name": "Sales", "office_id": self.office, "routing_options": {"open": rings, "closed": rings}}
        self.sales = self.post(f"{V2}/departments", body)["id"]
        self._given = given = {name: self._telephone(name) for name in ("Ann", "Bob")}
        self.worker = self._worker()
        for name, (username, password) in given.items():
            self.phones[name] = phone = Peer(self.worker)
            _register(phone, username, password)
        opened = self.ask("PUT", f"{V1}/departments/{self.sales}/by-hand", {"status": "open"})
        assert opened.status == 200, opened
        self.number = self.post(f"{V2}/numbers/assign", {"target_type": "department", "target_id": self.sales})[
            "number"
        ]
        self.carrier = Peer(self.worker)
        address = f"127.0.0.1:{self.carrier.address[1]}"
        self.post(f"{V1}/trunks", {"name": "In", "country": "US", "addresses": [address]})
        self._known()

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        assert self.server.company is not None
        return self.server.ask(method, path, body, key=self.server.company.sandbox_key)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.json

    def post(self, path: str, body: object = None) -> Any:
        answer = self.ask("POST", path, body)
        assert answer.status == 200, answer
        return answer.json

    def metrics(self) -> dict[str, float]:
        """What /metrics says now, by name with labels."""
        text = self.server.ask("GET", "/metrics").body.decode()
        pairs = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def count(self, name: str, wanted: float) -> None:
        """Wait until a figure is what it should be."""
        end = time.monotonic() + WAIT
        while (found := self.metrics()[name]) != wanted:
            assert time.monotonic() < end, (name, found)
            time.sleep(0.05)

    def until(self, path: str, when: Any) -> Any:
        """What the API says, once it says so: it is told of what happens on the wire, at its own time."""
        end = time.monotonic() + WAIT
        while not when(found := self.get(path)):
            assert time.monotonic() < end, found
            time.sleep(0.02)
        return found

    def _telephone(self, name: str) -> tuple[str, str]:
        body = {"office_id": self.office, "email": f"{name.lower()}@example.com", "first_name": name, "license": "talk"}
        user = self.post(f"{V2}/users", body)["id"]
        self.post(f"{V2}/departments/{self.sales}/operators", {"operator_type": "user", "operator_id": user})
        phone = self.post(f"{V1}/users/{user}/devices", {"name": f"{name}'s desk"})
        made = self.post(f"{V1}/phones/{phone['id']}/new-password")
        return made["phone"]["settings"]["username"], made["password"]

    def _worker(self) -> Address:
        """Where the worker listens, once it does."""
        self.until("/readyz", lambda said: said["telephones"] == "ok")
        return "127.0.0.1", self.get(f"{V1}/phones")["items"][0]["settings"]["port"]

    def _known(self) -> None:
        end = time.monotonic() + WAIT
        while True:
            self.carrier.send(self.carrier.request("OPTIONS"))
            if self.carrier.first().code == 200:
                self.carrier.forget()
                return
            assert time.monotonic() < end
            time.sleep(0.05)

    def call(self, caller: str = CALLER) -> "Ringing":
        """Somebody calls Sales; both telephones ring."""
        uri = f"sip:{self.number}@127.0.0.1:{self.worker[1]}"
        who = f"<sip:{caller}@127.0.0.1>"
        return Ringing(self, _Named(self.carrier, who, uri).start())

    def refused(self, name: str, dialled: str, code: int) -> None:
        """Somebody dials, proves who they are, and is answered so."""
        phone, call_id = self.phones[name], secrets.token_hex(8)
        uri = f"sip:{dialled}@127.0.0.1:{self.worker[1]}"
        phone.send(phone.request("INVITE", uri=uri, call_id=call_id, body=phone.sound))
        challenge = phone.hear("401 INVITE")
        phone.send(phone.request("ACK", uri=uri, call_id=call_id, to_tag=challenge.to_tag))
        proof = authorization(challenge.all("www-authenticate")[0], *self._given[name], "INVITE", uri)
        branch = "z9hG4bK" + secrets.token_hex(8)
        shown = (f"Authorization: {proof}",)

        def again(method: str, **more: Any) -> bytes:
            return phone.request(method, uri=uri, call_id=call_id, sequence=2, branch=branch, **more)

        phone.send(again("INVITE", body=phone.sound, headers=shown))
        answer = phone.hear(f"{code} INVITE")
        phone.send(again("ACK", to_tag=answer.to_tag))

    def close(self) -> None:
        for peer in (self.carrier, *self.phones.values()):
            peer.close()


class _Named(Call):
    """A call with a caller of choice."""

    def __init__(self, peer: Peer, who: str, uri: str) -> None:
        self._who = who
        super().__init__(peer, uri=uri)

    def request(self, method: str, **more: Any) -> bytes:
        return super().request(method, **{"caller": self._who, "to": f"<{self.target}>", **more})


class Ringing:
    """A call that has come in."""

    def __init__(self, house: House, call: Call) -> None:
        self.house, self.call = house, call
        self.invites: dict[str, Message] = {}
        self.answered_by = ""

    def ring(self, *names: str) -> None:
        """Each telephone says that it rings, or those that are named."""
        for name in names or tuple(self.house.phones):
            phone = self.house.phones[name]
            self.invites[name] = phone.hear("INVITE", WAIT)
            phone.reply(self.invites[name], 180, tag=f"t{name}")

    def cancel(self) -> None:
        """The caller gives up, and whoever rings is told so."""
        self.call.cancel()
        self.call.peer.hear("200 CANCEL")
        self.call.heard(487)
        self.call.ack_refusal()
        for name, invite in self.invites.items():
            self._given_up(name, invite)

    def _given_up(self, name: str, invite: Message) -> None:
        phone = self.house.phones[name]
        phone.reply(phone.hear("CANCEL"), 200, tag=f"t{name}")
        phone.reply(invite, 487, tag=f"t{name}")
        phone.hear("ACK")

    def answer(self, name: str) -> None:
        """One takes it, the other is told so; both sides know."""
        phone = self.house.phones[name]
        phone.reply(self.invites[name], 200, tag=f"t{name}", body=phone.sound)
        phone.hear("ACK")
        for other in self.house.phones:
            if other != name:
                self._given_up(other, self.invites[other])
        self.sound = self.call.heard(200)
        self.call.ack()
        self.answered_by = name

    def speak(self, packets: int, missing: tuple[int, ...] = ()) -> None:
        """The caller says something, of which some packets are lost on the way."""
        [line] = [one for one in self.sound.body.decode().splitlines() if one.startswith("m=audio")]
        source = secrets.randbits(32)
        for number in range(packets):
            if number not in missing:
                head = struct.pack("!BBHII", 0x80, 0, 1000 + number, 160 * number, source)
                self.call.peer.rtp.sendto(head + b"\xff" * 160, ("127.0.0.1", int(line.split()[1])))
                time.sleep(0.004)

    def hang_up(self) -> None:
        """The caller leaves."""
        self.call.next("BYE")
        self.call.peer.hear("200 BYE")
        self.left()

    def left(self) -> None:
        """Who answered is left."""
        phone = self.house.phones[self.answered_by]
        phone.reply(phone.hear("BYE"), 200)


def _register(phone: Peer, username: str, password: str) -> None:
    call_id = secrets.token_hex(8)
    phone.send(register(phone, username, call_id=call_id))
    challenge = phone.hear("401 REGISTER")
    value = challenge.all("www-authenticate")[0]
    proof = "Authorization: " + authorization(value, username, password, "REGISTER", URI)
    phone.send(register(phone, username, proof, "Expires: 600", call_id=call_id, sequence=2))
    phone.hear("200 REGISTER")
