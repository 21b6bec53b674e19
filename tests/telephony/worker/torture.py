"""Fifty messages in the manner of RFC 4475, each with what it is answered: ours in wording, the RFC's in what is odd
about it.

`{p}` is the sender's port. Each asks to be answered where it came from (rport). The expected answer is a code,
`NOTHING` for a message that gets none, `CALL` for an INVITE that becomes a call.
"""

NOTHING = 0
CALL = -1

SDP = (
    "v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\n"
    "m=audio 49217 RTP/AVP 0 12\r\nm=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n"
)
VIA = "Via: SIP/2.0/UDP 127.0.0.1:{p};rport;branch=z9hG4bK"


def request(
    first: str, *fields: str, name: str, body: str = "", cseq: str = "", length: str = "", via: str = "",
    to: str = "To: sip:user@example.com", caller: str = "From: sip:caller@example.org;tag=f-{name}", call_id: str = "",
) -> str:  # fmt: skip
    """A message with what it does not say itself filled in."""
    method = first.split()[0]
    lines = [
        first,
        via or VIA + name,
        *([to] if to else []),
        *([caller.replace("{name}", name)] if caller else []),
        *([call_id or f"Call-ID: {name}.torture"] if call_id != "-" else []),
        *([cseq or f"CSeq: 8 {method}"] if cseq != "-" else []),
        "Max-Forwards: 70",
    ]
    if method == "INVITE" and not any(field.lower().startswith(("contact", "m:")) for field in fields):
        lines.append("Contact: <sip:caller@127.0.0.1:{p}>")
    lines += fields
    if body and not any(field.lower().startswith(("content-type", "c:")) for field in fields):
        lines.append("Content-Type: application/sdp")
    lines.append(length or f"Content-Length: {len(body)}")
    return "\r\n".join(lines) + "\r\n\r\n" + body


def response(first: str, *fields: str, name: str, cseq: str = "CSeq: 8 INVITE") -> str:
    return "\r\n".join([
        first, VIA + name, "From: <sip:user@example.com>;tag=11", "To: <sip:user@example.edu>;tag=22",
        f"Call-ID: {name}.torture", cseq, *fields, "Content-Length: 0", "", "",
    ])  # fmt: skip


U = "sip:user@example.com"
I = f"INVITE {U} SIP/2.0"  # noqa: E741
O = f"OPTIONS {U} SIP/2.0"  # noqa: E741

VALID: dict[str, tuple[str, int]] = {
    "wsinv: short and folded": (
        "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
        "TO :\r\n sip:vivekg@chair-dnrc.example.com ;   unknown    = 1918181833n\r\n"
        'From   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
        "MaX-fOrWaRdS: 0068\r\nCall-ID: wsinv.torture\r\nContent-Length   : {n}\r\ncseq: 0009\r\n  INVITE\r\n"
        "Via  : SIP  /   2.0\r\n /UDP\r\n    127.0.0.1:{p};rport;branch=390skdjuw\r\ns :\r\n"
        "NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
        "UnknownHeaderWithUnusualValue: ;;,,;;,;\r\nContent-Type: application/sdp\r\n"
        "Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
        "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
        " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
        'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n'
        "  secondparam ; q = 0.33\r\n\r\n".replace("{n}", str(len(SDP)))
        + SDP,
        CALL,
    ),
    "intmeth: every token character": (
        request(
            "!interesting-Method0123456789_*+`.%indeed'~ "
            "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com"
            " SIP/2.0",
            'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" '
            "<sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>",
            "extensionHeader-!.%*+_`'~: \ufeff\u5927\u505c\u96fb",
            name="intmeth",
            to="",
            cseq="CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~",
        ),
        501,
    ),
    "esc01: escapes within a URI": (
        request(
            "INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0",
            name="esc01",
            body=SDP,
            to="To: sip:%75se%72@example.com",
            caller="From: <sip:I%20have%20spaces@example.net>;tag=938",
        ),
        CALL,
    ),
    "escnull: escaped nulls": (
        request(
            "OPTIONS sip:example.com SIP/2.0",
            "Contact: <sip:%00@127.0.0.1>",
            "Contact: <sip:%00%00@127.0.0.1>",
            name="escnull",
            to="To: sip:null-%00-null@example.com",
            caller="From: sip:null-%00-null@example.com;tag=839923423",
        ),
        200,
    ),
    "esc02: percent signs that escape nothing": (
        request(
            "RE%47IST%45R sip:registrar.example.com SIP/2.0",
            name="esc02",
            cseq="CSeq: 234 RE%47IST%45R",
            to='To: "%Z%45" <sip:resource@example.com>',
            caller='From: "%Z%45" <sip:resource@example.com>;tag=f23',
        ),
        501,
    ),
    "lwsdisp: no space before the bracket": (
        request(O, name="lwsdisp", caller="From: caller<sip:caller@example.com>;tag=323"),
        200,
    ),
    "longreq: long values": (
        request(
            "INVITE sip:user@example.com SIP/2.0",
            "Unknown-" + "Long" * 20 + "-Name: unknown-" + "long" * 20 + "-value",
            *(f"Via: SIP/2.0/TCP sip{n}.example.com;branch=z9hG4bK{n}" for n in range(33, 0, -1)),
            name="longreq",
            body=SDP,
            to='To: "I have a user name of '
            + "extreme" * 10
            + ' proportion"<sip:user@example.com:6000;unknownparam1='
            + "very" * 25
            + "value;longparam>",
            caller="From: sip:"
            + "amazinglylongcallername" * 5
            + "@example.net;tag=12"
            + "982" * 50
            + "424;unknownheaderparam="
            + "long" * 20,
            call_id="Call-ID: longreq.one" + "really" * 20 + "longcallid",
        ),
        CALL,
    ),
    "dblreq: two requests in one datagram": (
        request(f"OPTIONS {U} SIP/2.0", name="dblreq") + request(I, name="dblreq2", body=SDP),
        200,
    ),
    "semiuri: a semicolon in the user part": (
        request("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0", name="semiuri"),
        200,
    ),
    "transports: many in Via": (
        request(
            O,
            "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKa",
            "Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bKb",
            "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKc",
            name="transports",
        ),
        200,
    ),
    "mpart01: several parts": (
        request(
            I,
            'Content-Type: multipart/mixed;boundary="7a9cbec02ceef655"',
            name="mpart01",
            body="--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello\r\n--7a9cbec02ceef655\r\n"
            "Content-Type: application/octet-stream\r\n\r\n\x80\x81\x00\xff\r\n--7a9cbec02ceef655\r\n"
            "Content-Type: application/sdp\r\n\r\n" + SDP + "\r\n--7a9cbec02ceef655--\r\n",
        ),
        CALL,
    ),
    "unreason: a phrase in another script": (
        response(
            "SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e",
            "Contact: <sip:user@198.51.100.1>",
            name="unreason",
        ),
        NOTHING,
    ),
    "noreason: no phrase": (response("SIP/2.0 100 ", name="noreason"), NOTHING),
}

INVALID: dict[str, tuple[str, int]] = {
    "badinv01: separators too many": (
        request(
            I,
            'Contact: "Joe" <sip:joe@127.0.0.1>;;;;',
            name="badinv01",
            body=SDP,
            via="Via: SIP/2.0/UDP 127.0.0.1:{p};rport;;,;,,",
        ),
        400,
    ),
    "clerr: longer than the datagram": (request(I, name="clerr", body=SDP, length="Content-Length: 9999"), 400),
    "ncl: a negative length": (request(I, name="ncl", body=SDP, length="Content-Length: -999"), 400),
    "scalar02: numbers too large": (
        request(
            "REGISTER sip:example.com SIP/2.0",
            "Expires: 1000000000000000000000000000000000",
            name="scalar02",
            cseq="CSeq: 36893488147419103232 REGISTER",
        ),
        400,
    ),
    "scalarlg: numbers too large in an answer": (
        response(
            "SIP/2.0 503 Service Unavailable",
            "Retry-After: 949302838503028349304023988",
            name="scalarlg",
            cseq="CSeq: 9292394834772304023312 OPTIONS",
        ),
        NOTHING,
    ),
    "quotbal: a quote that never ends": (
        request(I, name="quotbal", body=SDP, to='To: "Mr. J. User <sip:j.user@example.com>'),
        400,
    ),
    "ltgtruri: brackets around the Request-URI": (request(f"INVITE <{U}> SIP/2.0", name="ltgtruri", body=SDP), 400),
    "lwsruri: a space in the Request-URI": (request(f"INVITE {U}; lr SIP/2.0", name="lwsruri", body=SDP), 400),
    "lwsstart: two spaces in the first line": (request(f"INVITE  {U}  SIP/2.0", name="lwsstart", body=SDP), 400),
    "trws: a space behind the first line": (request(f"{O} ", name="trws"), 400),
    "escruri: headers in the Request-URI": (
        request("INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0", name="escruri", body=SDP),
        400,
    ),
    "baddate: a zone that is none": (request(I, "Date: Fri, 01 Jan 2010 16:00:00 EST", name="baddate", body=SDP), CALL),
    "regbadct: a Contact without brackets": (
        request(I, "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E", name="regbadct", body=SDP),
        400,
    ),
    "badaspec: spaces in an address": (
        request(O, name="badaspec", to='To: "Watson, Thomas" < sip:t.watson@example.org >'),
        400,
    ),
    "baddn: a name that is no token": (
        request(O, name="baddn", caller="From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43"),
        400,
    ),
    "badvers: another version": (
        request(f"OPTIONS {U} SIP/7.0", name="badvers", via="Via: SIP/2.0/UDP 127.0.0.1:{p};rport;branch=z9hG4bKv"),
        505,
    ),
    "mismatch01: CSeq names another method": (request(O, name="mismatch01", cseq="CSeq: 8 INVITE"), 400),
    "mismatch02: and neither is known": (
        request(f"NEWMETHOD {U} SIP/2.0", name="mismatch02", cseq="CSeq: 8 INVITE"),
        400,
    ),
    "bigcode: a code too large": (
        response("SIP/2.0 4294967301 better not break the receiver", name="bigcode"),
        NOTHING,
    ),
    "badbranch: nothing but the cookie": (request(O, name="", call_id="Call-ID: badbranch.torture"), 200),
    "insuf: To, From, Call-ID and CSeq are missing": (
        request(I, name="insuf", body=SDP, to="", caller="", call_id="-", cseq="-"),
        400,
    ),
    "unkscm: a scheme that nobody knows": (
        request("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0", name="unkscm"),
        416,
    ),
    "novelsc: a scheme that is for others": (
        request("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0", name="novelsc"),
        416,
    ),
    "unksm2: unknown schemes in fields": (
        request(
            "OPTIONS sip:example.com SIP/2.0",
            "Contact: <name:John_Smith>",
            name="unksm2",
            to="To: isbn:2983792873",
            caller="From: <http://www.example.com>;tag=3234",
        ),
        400,
    ),
    "bext01: an extension is required": (
        request(
            O,
            "Require: nothingSupportsThis, nothingSupportsThisEither",
            "Proxy-Require: noProxiesSupportThis",
            name="bext01",
        ),
        420,
    ),
    "invut: a body of another kind": (
        request(I, "Content-Type: application/unknownformat", name="invut", body="<audio>\r\n"),
        415,
    ),
    "multi01: what must be once is twice": (
        request(
            I,
            "Call-ID: 2",
            "CSeq: 9 INVITE",
            "From: <sip:b@example.com>;tag=2",
            "To: <sip:c@example.com>",
            "Max-Forwards: 5",
            "Contact: <sip:x@127.0.0.1>",
            name="multi01",
            body=SDP,
        ),
        400,
    ),
    "mcl01: two lengths": (
        request(O, "Content-Length: 13", name="mcl01", length="Content-Length: 5", body="There's no way"),
        400,
    ),
    "bcast: an answer to everybody": (
        response("SIP/2.0 200 OK", "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKb", name="bcast"),
        NOTHING,
    ),
    "zeromf: no hop is left": (request(O, name="zeromf").replace("Max-Forwards: 70", "Max-Forwards: 0"), 200),
    "sdp01: another kind of answer is wanted": (
        request(I, "Accept: text/nobodyKnowsThis", name="sdp01", body=SDP),
        406,
    ),
    "inv2543: as of RFC 2543": (
        "INVITE sip:UserB@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{p};rport\r\n"
        "From: <sip:alice@example.org>\r\nTo: <sip:UserB@example.com>\r\nContact: <sip:alice@127.0.0.1:{p}>\r\n"
        "Call-ID: inv2543.torture\r\nCSeq: 56 INVITE\r\n"
        "Content-Type: application/sdp\r\n\r\n" + SDP,
        CALL,
    ),
}

REGISTERED: dict[str, tuple[tuple[str, ...], int]] = {
    "cparam01: an unknown parameter of a Contact": (("Contact: sip:+19725552222@127.0.0.1;unknownparam",), 200),
    "cparam02: an unknown parameter of its URI": (("Contact: <sip:+19725552222@127.0.0.1;unknownparam>",), 200),
    "regescrt: escaped headers in a Contact": (("Contact: <sip:user@127.0.0.1?Route=%3Csip:sip.example.com%3E>",), 200),
    "regaut01: a scheme of proofs that nobody knows": (
        ("Contact: <sip:user@127.0.0.1>", "Authorization: NoOneKnowsThisScheme opaque-data=here"),
        401,
    ),
}
"""What a telephone that has proven itself (but for the last) registers."""
