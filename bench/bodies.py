"""Bodies of POST /api/v2/offices as life brings them: all different, all valid, the same again for the same seed.

Offices of small and large companies in some sixty real places of seventeen countries; most bodies have every
field of the reference filled, the others leave out what people leave out. No main line: a number is claimed once.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

CURRENCIES = {"US": "USD", "CA": "CAD", "AU": "AUD", "GB": "GBP", "NZ": "NZD", "JP": "JPY"}
EURO = frozenset({"FR", "DE", "ES", "IT", "NL", "IE"})
EMERGENCY_ADDRESS_REQUIRED = frozenset({"US", "CA", "AU", "FR", "GB", "NZ"})


@dataclass(frozen=True, slots=True)
class Place:
    """A city as addresses and calls reach it: `phone` is international, each `#` stands for any digit."""

    country: str
    city: str
    region: str
    postal_code: str
    zone: str
    phone: str


def _places(country: str, *rows: str) -> list[Place]:
    return [Place(country, *(part.strip() for part in row.split("|"))) for row in rows]


PLACES: tuple[Place, ...] = (
    *_places(
        "US",
        "New York | NY | 10001 | America/New_York | +1212563####",
        "Boston | MA | 02108 | America/New_York | +1617742####",
        "Atlanta | GA | 30303 | America/New_York | +1404522####",
        "Detroit | MI | 48226 | America/Detroit | +1313961####",
        "Indianapolis | IN | 46204 | America/Indiana/Indianapolis | +1317632####",
        "Chicago | IL | 60601 | America/Chicago | +1312372####",
        "Austin | TX | 78701 | America/Chicago | +1512476####",
        "Denver | CO | 80202 | America/Denver | +1303825####",
        "Phoenix | AZ | 85004 | America/Phoenix | +1602253####",
        "San Francisco | CA | 94105 | America/Los_Angeles | +1415543####",
        "Seattle | WA | 98101 | America/Los_Angeles | +1206682####",
        "Anchorage | AK | 99501 | America/Anchorage | +1907276####",
        "Honolulu | HI | 96813 | Pacific/Honolulu | +1808536####",
    ),
    *_places(
        "CA",
        "Toronto | ON | M5V 3L9 | America/Toronto | +1416593####",
        "Montréal | QC | H3B 1A7 | America/Toronto | +1514866####",
        "Halifax | NS | B3J 1S9 | America/Halifax | +1902423####",
        "St. John's | NL | A1C 1A1 | America/St_Johns | +1709753####",
        "Winnipeg | MB | R3C 0A5 | America/Winnipeg | +1204943####",
        "Calgary | AB | T2P 1J9 | America/Edmonton | +1403262####",
        "Vancouver | BC | V6B 1A1 | America/Vancouver | +1604684####",
    ),
    *_places(
        "AU",
        "Sydney | NSW | 2000 | Australia/Sydney | +6129231####",
        "Melbourne | VIC | 3000 | Australia/Melbourne | +6139650####",
        "Brisbane | QLD | 4000 | Australia/Brisbane | +6173221####",
        "Adelaide | SA | 5000 | Australia/Adelaide | +6188231####",
        "Perth | WA | 6000 | Australia/Perth | +6189321####",
        "Hobart | TAS | 7000 | Australia/Hobart | +6136231####",
        "Darwin | NT | 0800 | Australia/Darwin | +6188981####",
    ),
    *_places(
        "GB",
        "London | Greater London | SW1A 1AA | Europe/London | +4420734#####",
        "Manchester | Greater Manchester | M1 1AE | Europe/London | +44161236####",
        "Bristol | Avon | BS1 4DJ | Europe/London | +44117929####",
        "Edinburgh | Midlothian | EH1 1YZ | Europe/London | +44131556####",
        "Cardiff | South Glamorgan | CF10 1EP | Europe/London | +442920######",
        "Belfast | Antrim | BT1 5GS | Europe/London | +442890######",
    ),
    *_places(
        "FR",
        "Paris | Île-de-France | 75001 | Europe/Paris | +3314260####",
        "Lyon | Auvergne-Rhône-Alpes | 69002 | Europe/Paris | +3347842####",
        "Marseille | Provence-Alpes-Côte d'Azur | 13001 | Europe/Paris | +3349190####",
        "Lille | Hauts-de-France | 59000 | Europe/Paris | +3332055####",
    ),
    *_places(
        "DE",
        "Berlin | Berlin | 10115 | Europe/Berlin | +493028######",
        "München | Bayern | 80331 | Europe/Berlin | +498923######",
        "Hamburg | Hamburg | 20095 | Europe/Berlin | +494030######",
        "Köln | Nordrhein-Westfalen | 50667 | Europe/Berlin | +4922125#####",
    ),
    *_places(
        "NZ",
        "Auckland | Auckland | 1010 | Pacific/Auckland | +649379####",
        "Wellington | Wellington | 6011 | Pacific/Auckland | +644473####",
        "Christchurch | Canterbury | 8011 | Pacific/Auckland | +643366####",
    ),
    *_places(
        "JP",
        "Chiyoda | Tokyo | 100-0001 | Asia/Tokyo | +8133213####",
        "Osaka | Osaka | 530-0001 | Asia/Tokyo | +8166341####",
    ),
    *_places(
        "ES",
        "Madrid | Madrid | 28001 | Europe/Madrid | +34914######",
        "Barcelona | Barcelona | 08001 | Europe/Madrid | +34933######",
        "Las Palmas | Las Palmas | 35001 | Atlantic/Canary | +34928######",
    ),
    *_places(
        "IT",
        "Roma | RM | 00184 | Europe/Rome | +390648######",
        "Milano | MI | 20121 | Europe/Rome | +390272######",
        "Napoli | NA | 80132 | Europe/Rome | +390815######",
    ),
    *_places(
        "NL",
        "Amsterdam | Noord-Holland | 1012 JS | Europe/Amsterdam | +3120624####",
        "Rotterdam | Zuid-Holland | 3011 AA | Europe/Amsterdam | +3110413####",
    ),
    *_places(
        "BR",
        "São Paulo | SP | 01001-000 | America/Sao_Paulo | +55113106####",
        "Manaus | AM | 69005-010 | America/Manaus | +55923234####",
    ),
    *_places(
        "IE",
        "Dublin | Co. Dublin | D01 F5P2 | Europe/Dublin | +3531872####",
        "Cork | Co. Cork | T12 W8KP | Europe/Dublin | +35321427####",
    ),
    *_places(
        "MX",
        "Ciudad de México | CDMX | 06000 | America/Mexico_City | +525555######",
        "Tijuana | B.C. | 22000 | America/Tijuana | +526646######",
    ),
    *_places(
        "IN",
        "Mumbai | Maharashtra | 400001 | Asia/Kolkata | +91222266####",
        "Bengaluru | Karnataka | 560001 | Asia/Kolkata | +91802286####",
    ),
    *_places("SG", "Singapore | Singapore | 018956 | Asia/Singapore | +656225####"),
    *_places("PL", "Warszawa | Mazowieckie | 00-001 | Europe/Warsaw | +4822826####"),
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.replace("_", " ") for word in text.split())


_FIRST = _words(
    "Aaltje Ahmed Amélie Ana Astrid Beatriz Bence Carlos Chiara Daan Deepa Elif Emre Farah Femke Giulia Grace Hana "
    "Håkon Ines Ivan Jaya Jonas Kaito Katarzyna Leïla Liam Lucía Maeve Mateus Mei Nadia Noor Olivia Pedro Priya Rasmus "
    "Rosa Samir Siobhán Sofía Tane Theo Umar Vera Wiremu Yara Zoë"
)
_LAST = _words(
    "Andrade Baker Bianchi Campbell Chen Costa Dubois Evans Fischer García Haddad Hughes Iyer Jansen Kaya Kowalski "
    "Lefèvre López MacLeod Martin Meyer Murphy Nakamura Ngata Nowak O'Brien Okafor Patel Pereira Quinn Ramos Rossi "
    "Santos Schäfer Singh Smith Tanaka Tremblay Ueda Visser Walker Weber Williams Yamada Young Zhang"
)
_TRADE = _words(
    "Accounting Architects Bakery Bikes Books Brewing Clinic Coffee Consulting Dental Design Electric Engineering "
    "Foods Freight Garage Insurance Interiors Law Legal Logistics Media Motors Optics Organics Outfitters Paper "
    "Pharmacy Plumbing Press Realty Robotics Roofing Seafood Security Software Solar Studio Textiles Travel"
)
_PLACE_WORD = _words("Harbour Station Market Riverside Old_Town Hillside Park University Airport North South East West")
_STREET = _words("Market Mill Station Church Park King Queen Bridge River High Harbour Garden Castle School Victoria")
_STREET_KIND = _words("Street Road Avenue Lane Square")
_LINE_2 = _words("Suite Floor Unit Level Room Building")
_DOMAINS = tuple(f"{trade.lower()}-{place}.example.com" for trade in _TRADE for place in ("group", "partners", "co"))

_STRATEGIES = ("mostskilled", "longestidle", "roundrobin", "fixedorder", "random", "simultaneous")
_KEY_ACTIONS = ("directory", "company_directory", "disabled", "message", "operator", "voicemail")
_STATE_ACTIONS = ("directory", "company_directory", "menu", "message", "voicemail", "disabled")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
_DESCRIPTION = (
    "Front desk, bookings and deliveries of this site. Callers who need the workshop press 2 and give their order "
    "number; after hours the message asks for a name and a number, and someone calls back before ten the next day."
)


class _Dice:
    """A short run of even choices, all from one hash: the same for the same seed and index."""

    __slots__ = ("_left",)

    def __init__(self, seed: int, index: int) -> None:
        self._left = int.from_bytes(blake2b(b"%d/%d" % (seed, index), digest_size=64).digest())

    def below(self, number: int) -> int:
        self._left, chosen = divmod(self._left, number)
        return chosen

    def of(self, choices: tuple[str, ...]) -> str:
        return choices[self.below(len(choices))]

    def once_in(self, number: int) -> bool:
        return self.below(number) == 0


class Bodies:
    """Endless bodies in order; `body(index)` makes any one of them again.

    `currency` is the one of the company's primary office: what goes on its invoice must be in it.
    """

    def __init__(self, seed: int = 0, currency: str = "USD") -> None:
        self._seed = seed
        self._currency = currency

    def __iter__(self) -> Iterator[bytes]:
        index = 0
        while True:
            yield self.body(index)
            index += 1

    def body(self, index: int) -> bytes:
        """Body number `index`, JSON without spaces."""
        return msgspec.json.encode(self.office(index))

    def office(self, index: int) -> dict[str, Any]:
        """The same before it is serialised."""
        dice = _Dice(self._seed, index)
        place = PLACES[dice.below(len(PLACES))]
        fullness = dice.below(20)  # 8 and more: every field; 2 to 7: the usual ones; below: little more than required
        first, last = dice.of(_FIRST), dice.of(_LAST)
        mark = f"{self._seed}-{index}"
        company = f"{last} {dice.of(_TRADE)}"
        office: dict[str, Any] = {
            "name": f"{company}, {place.city} {dice.of(_PLACE_WORD)} {mark}",
            "country": place.country,
            "plan_period": "yearly" if dice.once_in(3) else "monthly",
            "annual_commit_monthly_billing": dice.once_in(4),
            "invoiced": dice.once_in(2),
            "billing_contact": {
                "name": f"{first} {last}",
                "email": f"{_plain(first)}.{_plain(last)}.{mark}@{dice.of(_DOMAINS)}",
            },
        }
        if office["plan_period"] == "yearly":
            office["annual_commit_monthly_billing"] = False
        unified = dice.once_in(2)
        office["unified_billing"] = unified
        office["currency"] = self._currency if unified else _own_currency(place.country)
        self._addresses(office, place, dice, fullness)
        if fullness >= 2:
            office["billing_contact"]["phone"] = _phone(place.phone, dice)
            office["timezone"] = place.zone
            office["ring_seconds"] = 10 + dice.below(36)
            _hours(office, dice, every=fullness >= 8)
        if fullness >= 4:
            _routing(office, dice)
        if fullness >= 8:
            office["group_description"] = f"{company} in {place.city}. {_DESCRIPTION}"[:256]
            office["international_enabled"] = dice.once_in(2)
            office["auto_call_recording"] = dice.once_in(3)
            office["voice_intelligence"] = {"auto_start": dice.once_in(2), "allow_pause": dice.once_in(2)}
        return office

    def _addresses(self, office: dict[str, Any], place: Place, dice: _Dice, fullness: int) -> None:
        street = f"{1 + dice.below(2000)} {dice.of(_STREET)} {dice.of(_STREET_KIND)}"
        line_2 = f"{dice.of(_LINE_2)} {1 + dice.below(80)}"
        billing = {
            "address_line_1": street,
            "city": place.city,
            "region": place.region,
            "postal_code": place.postal_code,
            "country": place.country,
        }
        if fullness >= 4:
            billing["address_line_2"] = line_2
        office["billing_address"] = billing
        if fullness < 4:
            if place.country in EMERGENCY_ADDRESS_REQUIRED or dice.once_in(2):
                office["use_same_address"] = True
            return
        office["use_same_address"] = False
        office["e911_address"] = {
            "address": f"{1 + dice.below(2000)} {dice.of(_STREET)} {dice.of(_STREET_KIND)}",
            "address2": line_2,
            "city": place.city,
            "state": place.region,
            "zip": place.postal_code,
            "country": place.country,
        }


def _own_currency(country: str) -> str:
    return "EUR" if country in EURO else CURRENCIES.get(country, "USD")


def _phone(pattern: str, dice: _Dice) -> str:
    return "".join(str(dice.below(10)) if sign == "#" else sign for sign in pattern)


def _plain(name: str) -> str:
    """The name as the local part of a mail address has it."""
    return "".join(sign for sign in name.lower() if sign.isascii() and sign.isalpha())


def _hours(office: dict[str, Any], dice: _Dice, every: bool) -> None:
    """A week of one rhythm with a late or a short day, so that lists repeat as little as those of real offices."""
    office["hours_on"] = True
    opens, noon, closes = 6 + dice.below(5), 12 + dice.below(2), 16 + dice.below(6)
    minute = dice.of(("00", "15", "30", "45"))
    whole = [f"{opens:02}:{minute}", f"{closes:02}:00"]
    split = [f"{opens:02}:{minute}", f"{noon}:00", f"{noon + 1}:30", f"{closes:02}:{minute}"]
    usual = split if dice.once_in(3) else whole
    special = dice.below(7)
    for number, day in enumerate(_WEEKDAYS):
        office[f"{day}_hours"] = [*usual[:-1], "22:30"] if number == special else usual
    if every:
        office["saturday_hours"] = ["09:00", f"{12 + dice.below(6)}:00"] if dice.once_in(2) else []
        # A bar's Sunday: the last pair of a day may run into the next one.
        office["sunday_hours"] = ["18:00", "02:00"] if dice.once_in(8) else []


def _routing(office: dict[str, Any], dice: _Dice) -> None:
    rings = not dice.once_in(4)
    open_action = dice.of(_STATE_ACTIONS) if rings else "menu"
    office["first_action"] = "operators" if rings else "menu"
    office["no_operators_action"] = open_action
    office["routing_options"] = {
        "open": {
            "action": open_action,
            "try_dial_operators": rings,
            "operator_routing": dice.of(_STRATEGIES),
            "dtmf": _menu(dice),
        },
        "closed": {
            "action": dice.of(("voicemail", "message", "menu")),
            "try_dial_operators": False,
            "operator_routing": dice.of(_STRATEGIES),
            "dtmf": _menu(dice),
        },
    }


def _menu(dice: _Dice) -> list[dict[str, Any]]:
    length = 3 + dice.below(7)
    return [{"input": str(key), "options": {"action": dice.of(_KEY_ACTIONS)}} for key in range(length)]


def idempotency_key(seed: int, index: int) -> str:
    """The key of body `index`: random to whoever stores it, the same again for the same seed and index."""
    return str(uuid.UUID(bytes=blake2b(b"key %d/%d" % (seed, index), digest_size=16).digest()))
