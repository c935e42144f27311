"""SigComp on the wire: our programs among themselves, with tshark looking on (RFC 5049)."""

from __future__ import annotations

import json
import socket

from peers.godwit import PASSWORD, Godwit
from peers.sigcomp import decode, record_marked
from peers.tshark import WARNING, Capture
from sandbox import Sandbox
from scenarios import scenario
from scenarios.sigcomp import reports

ALICE, BOB, KIM = "alice@example.com", "bob@example.com", "kim@example.net"
# tshark's UDVM has 16 cycles for each bit, whatever an endpoint offers.
LEAST = {"memory": 8192, "state-memory": 2048, "cycles-per-bit": 16}
OFFER = "8192/2048/16"


def client(sandbox: Sandbox, command: str, user: str, server: Godwit, *arguments: str, transport: str = "udp"):
    """`godwit send` or `godwit listen`, begun."""
    secret = sandbox.directory / "password"
    secret.write_text(PASSWORD + "\n")
    return sandbox.start(
        f"{command}-{user}",
        [str(sandbox.godwit), command, "--as", user, "--server", f"{transport}:{server.address}",
         "--password-file", str(secret), *arguments],
    )  # fmt: skip


def converse(sandbox: Sandbox, texts: list[str], here: Godwit, there: Godwit, recipient: str, *,
             sender: list[str], receiver: list[str], transport: str = "udp") -> None:  # fmt: skip
    """Sends each text in a transaction of its own to a device that listens."""
    listener = client(sandbox, "listen", recipient, there, "--count", str(len(texts)), *receiver, transport=transport)
    listener.wait_line("registered", timeout=20)
    for text in texts:
        program = client(sandbox, "send", ALICE, here, recipient, text, *sender, transport=transport)
        sandbox.expect_equal(program.wait_end(20), 0, f"exit code of send: {program.lines()}")
    sandbox.expect_equal(listener.wait_end(20), 0, f"exit code of listen: {listener.lines()}")
    heard = [line for line in listener.lines() if line != "registered"]
    sandbox.expect_equal(heard, [f"sip:{ALICE}: {text}" for text in texts], "messages that arrived")


@scenario("sigcomp-live-tshark", seconds=120)
def live(sandbox: Sandbox) -> None:
    """A server and two clients: tshark decompresses every datagram to the bytes that Godwit does, and finds good SIP."""
    godwit = Godwit(sandbox, [ALICE, BOB], settings={"sigcomp": LEAST})
    capture = Capture(sandbox, godwit.port)
    texts = [f"Sounding {number}: nine fathoms, sand and shells" for number in range(1, 6)]
    both = ["--sigcomp-offer", OFFER]
    converse(sandbox, texts, godwit, godwit, BOB, sender=both, receiver=both)
    counters = godwit.counters()
    capture.wait_packet(r"SIP|SIGCOMP|SigComp", count=30)
    capture.stop()

    payloads = capture.payloads()
    theirs = capture.decompressed()
    sandbox.expect_equal(len(theirs), len(payloads), "packets that tshark shows")
    compressed = [(port, payload, found) for (port, payload), found in zip(payloads, theirs) if payload[0] >= 0xF8]
    ours = reports(sandbox, [payload for _, payload, _ in compressed])
    sandbox.expect_equal({report["result"] for report in ours}, {"decompressed"}, "what Godwit makes of the capture")
    for number, ((_, _, found), report) in enumerate(zip(compressed, ours), 1):
        sandbox.expect_equal([base64_bytes(report)], found, f"bytes of SigComp message {number}")
    sent = [payload for port, payload, _ in compressed if port == godwit.port]
    sandbox.expect_equal(len(sent), counters["sigcomp_messages_sent"], "messages that the server counts as compressed")
    sandbox.expect_equal(sum(map(len, sent)), counters["sigcomp_bytes_sent"], "bytes that it counts")
    sandbox.expect(len(sent) > len(payloads) // 4, f"{len(sent)} of {len(payloads)} datagrams are the server's SigComp")
    complaints = capture.fields(
        f"sip && (_ws.malformed || _ws.expert.severity >= {WARNING})", "frame.number", "_ws.expert.message"
    )
    sandbox.expect_equal(complaints, [], "complaints of tshark")
    sandbox.expect_equal(counters.get("sigcomp_negative_acknowledgements_sent"), 0, "NACKs sent")


def of_sigcomp(counters: dict[str, int]) -> dict[str, int]:
    return {name: value for name, value in counters.items() if name.startswith("sigcomp") and value}


def base64_bytes(report: dict) -> bytes:
    import base64

    return base64.b64decode(report["output"])


@scenario("sigcomp-plain-peers", seconds=60)
def plain_peers(sandbox: Sandbox) -> None:
    """Clients without SigComp, at a server that has it: not one byte of it, not one parameter."""
    godwit = Godwit(sandbox, [ALICE, BOB])
    capture = Capture(sandbox, godwit.port)
    converse(sandbox, ["as it always was", "and again"], godwit, godwit, BOB, sender=[], receiver=[])
    capture.wait_packet("SIP", count=8)
    capture.stop()
    payloads = capture.payloads()
    sandbox.expect(len(payloads) >= 8, f"{len(payloads)} datagrams")
    for _, payload in payloads:
        sandbox.expect(payload[0] < 0xF8, "a datagram is SigComp")
        sandbox.expect(b"sigcomp" not in payload.lower(), f"SigComp is spoken of: {payload!r}")
    counters = godwit.counters()
    sandbox.expect_equal([counters[f"sigcomp_messages_{way}"] for way in ("sent", "received")], [0, 0], "messages")


@scenario("sigcomp-pair-udp", seconds=90, transport="udp")
@scenario("sigcomp-pair-tcp", seconds=90, transport="tcp")
def pair(sandbox: Sandbox, transport: str) -> None:
    """Two servers that compress between them what clients without SigComp send each other, and find it out after a restart."""
    ports = sandbox.free_port(), sandbox.free_port()

    def server(own: int, other: int, domain: str, there: str, users: list[str]) -> Godwit:
        peer = {"at": f"127.0.0.1:{other}", "pair": True}
        return Godwit(
            sandbox, users, domain=domain, port=own, settings={"sigcomp": {"peers": [peer]}},
            neighbours={there: f"sip:127.0.0.1:{other};transport={transport}"},
        )  # fmt: skip

    first = server(ports[0], ports[1], "example.com", "example.net", [ALICE])
    second = server(ports[1], ports[0], "example.net", "example.com", [KIM])
    texts = [f"Position {number}: " + "54.32 N 010.14 E, course 270, all well on board; " * 8 for number in range(1, 11)]
    texts = [text.strip() for text in texts]
    plain: dict = {"sender": [], "receiver": []}
    converse(sandbox, texts, first, second, KIM, **plain)

    here, there = first.counters(), second.counters()
    sandbox.expect(here["sigcomp_messages_sent"] >= 8, f"messages compressed: {of_sigcomp(here)}")
    sandbox.expect_equal(there["sigcomp_messages_received"], here["sigcomp_messages_sent"], "messages decompressed")
    sandbox.expect(here["sigcomp_bytes_sent"] < here["sigcomp_plain_bytes_sent"] * 0.6, f"bytes: {of_sigcomp(here)}")
    sandbox.expect_equal(
        [counters["sigcomp_negative_acknowledgements_sent"] for counters in (here, there)], [0, 0], "NACKs"
    )
    peers = json.loads("".join(first.command("server", "sigcomp", "--json")))
    sandbox.expect(any(peer["messagesSent"] >= 5 for peer in peers), f"the peer in the list: {peers}")

    second.stop()
    second.start()
    converse(sandbox, ["after the watch changed", "and once more"], first, second, KIM, **plain)


@scenario("sigcomp-live-tcp", seconds=60)
def stream(sandbox: Sandbox) -> None:
    """Both clients over connections that carry nothing but SigComp."""
    godwit = Godwit(sandbox, [ALICE, BOB])
    texts = [f"Bearing {number}: the lighthouse abeam" for number in range(1, 5)]
    both = ["--sigcomp"]
    converse(sandbox, texts, godwit, godwit, BOB, sender=both, receiver=both, transport="tcp")
    counters = godwit.counters()
    sandbox.expect(counters["sigcomp_messages_received"] > 0, f"messages decompressed: {of_sigcomp(counters)}")
    # What a challenged client sent before its credentials is not kept here; over a connection it may count on it once, and
    # learns better by a NACK.
    refused = {name: count for name, count in counters.items() if name.startswith("sigcomp_failures")}
    connections = len(texts) + 1
    sandbox.expect(set(refused) <= {"sigcomp_failures_state_not_found"}, f"failures: {refused}")
    sandbox.expect(sum(refused.values()) <= connections, f"failures: {refused}")


@scenario("sigcomp-garbage", seconds=60)
def garbage(sandbox: Sandbox) -> None:
    """Bytes that only look like SigComp get the NACK that says why, by datagram and connection; plain SIP goes on."""
    godwit = Godwit(sandbox, [ALICE, BOB])
    messages = {"STATE_NOT_FOUND": "f9010203040506", "INVALID_OPCODE": "f80011ff", "MESSAGE_TOO_SHORT": "f801"}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(sandbox.limit(10))
        answers = []
        for text in messages.values():
            datagrams.sendto(bytes.fromhex(text), ("127.0.0.1", godwit.port))
            answers.append(datagrams.recv(65_536))
    for reason, packet in zip(messages, decode(sandbox, answers)):
        sandbox.expect(f"Reason Code: {reason}" in packet.text.replace("-", "_"), packet.text)
    with socket.create_connection(("127.0.0.1", godwit.port), timeout=sandbox.limit(10)) as connection:
        connection.sendall(record_marked(bytes.fromhex(messages["STATE_NOT_FOUND"])) + b"\xf8\xff\x80")
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    sandbox.expect_equal(received.count(b"\xff\xff"), 2, f"NACKs on the connection: {received.hex()}")
    counters = godwit.counters()
    seen = {name: counters.get(f"sigcomp_failures_{name.lower()}") for name in [*messages, "FRAMING_ERROR"]}
    wanted = {"STATE_NOT_FOUND": 2, "INVALID_OPCODE": 1, "MESSAGE_TOO_SHORT": 1, "FRAMING_ERROR": 1}
    sandbox.expect_equal(seen, wanted, "failures counted")
    converse(sandbox, ["untroubled"], godwit, godwit, BOB, sender=[], receiver=[])
