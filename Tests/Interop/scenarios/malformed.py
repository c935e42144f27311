"""Requests that break the rules get the answer the RFC names, and the server goes on."""

from __future__ import annotations

import random
import re
import socket

from peers.godwit import PASSWORD, Godwit
from peers.scripted import ScriptedEndpoint
from peers.sipp import Sipp
from sandbox import Failure, Sandbox
from scenarios import scenario

HEAD = """\
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:alice@example.com>;tag=[pid]x[call_number]
To: <sip:bob@example.com>
Call-ID: [call_id]
"""
TAIL = "Content-Length: 0\n\n"

# name: (request, the status it must get, where that is said)
REQUESTS = {
    "body shorter than Content-Length": (
        f"MESSAGE sip:bob@example.com SIP/2.0\n{HEAD}Max-Forwards: 70\nCSeq: 1 MESSAGE\n"
        "Content-Type: text/plain\nContent-Length: 9999\n\nshort",
        400,
        "RFC 3261 18.3",
    ),
    "negative Content-Length": (
        f"MESSAGE sip:bob@example.com SIP/2.0\n{HEAD}Max-Forwards: 70\nCSeq: 1 MESSAGE\nContent-Length: -999\n\n",
        400,
        "RFC 4475 3.1.2.3",
    ),
    "blanks in the Request-URI": (
        f"MESSAGE sip:bob@example.com; lr SIP/2.0\n{HEAD}Max-Forwards: 70\nCSeq: 1 MESSAGE\n{TAIL}",
        400,
        "RFC 4475 3.1.2.9",
    ),
    "SIP version 7.0": (
        f"MESSAGE sip:bob@example.com SIP/7.0\n{HEAD}Max-Forwards: 70\nCSeq: 1 MESSAGE\n{TAIL}",
        505,
        "RFC 4475 3.1.2.16",
    ),
    "unknown scheme": (
        f"MESSAGE nobodyknowsthisscheme:opaque SIP/2.0\n{HEAD}Max-Forwards: 70\nCSeq: 1 MESSAGE\n{TAIL}",
        416,
        "RFC 3261 16.3 item 2",
    ),
    "no hops left": (
        f"MESSAGE sip:bob@example.com SIP/2.0\n{HEAD}Max-Forwards: 0\nCSeq: 1 MESSAGE\n{TAIL}",
        483,
        "RFC 3261 16.3 item 3",
    ),
    "unknown Proxy-Require": (
        f"MESSAGE sip:bob@example.com SIP/2.0\n{HEAD}Max-Forwards: 70\nCSeq: 1 MESSAGE\n"
        f"Proxy-Require: nothing-supports-this\n{TAIL}",
        420,
        "RFC 3261 16.3 item 5",
    ),
    "unknown Require in REGISTER": (
        f"REGISTER sip:example.com SIP/2.0\n{HEAD}Max-Forwards: 70\nCSeq: 1 REGISTER\n"
        f"Require: nothing-supports-this\n{TAIL}",
        420,
        "RFC 3261 10.3 item 2",
    ),
}


@scenario("sipp-malformed", seconds=120)
def answers_malformed_requests(sandbox: Sandbox) -> None:
    godwit = Godwit(sandbox, ["alice@example.com"], algorithms=["MD5"])
    wrong = []
    agent = Sipp(sandbox, "malformed")
    for name, (request, status, source) in REQUESTS.items():
        try:
            agent.call("one-request", godwit.port, request=request, status=str(status), options=["-nr"], timeout=5)
        except Failure as failure:
            wrong.append(f"{name} ({source}: {status}): {failure}")
        godwit.expect_alive()
    sandbox.expect(not wrong, "\n".join(wrong))
    agent = Sipp(sandbox, "alice", user="alice", domain="example.com")
    agent.call("register", godwit.port, password=PASSWORD, contact=str(agent.port), expires="60", status="200")


@scenario("malformed-without-sipp")
def answers_what_sipp_cannot_match(sandbox: Sandbox) -> None:
    """Requests whose answers sipp would not recognise as such, or whose header fields are missing."""
    godwit = Godwit(sandbox, ["alice@example.com"])
    changes = {
        "method in CSeq differs (RFC 4475 3.1.2.17)": (r"CSeq: (\d+) MESSAGE", r"CSeq: \1 OPTIONS"),
        "CSeq beyond 32 bits (RFC 4475 3.1.2.4)": (r"CSeq: \d+", "CSeq: 36893488147419103232"),
        "no CSeq (RFC 3261 8.1.1)": (r"CSeq: [^\r]*\r\n", ""),
        "no From (RFC 3261 8.1.1)": (r"From: [^\r]*\r\n", ""),
        "no To (RFC 3261 8.1.1)": (r"To: [^\r]*\r\n", ""),
        "no Call-ID (RFC 3261 8.1.1)": (r"Call-ID: [^\r]*\r\n", ""),
        "two different Call-IDs (RFC 4475 3.3.8)": (r"Call-ID: ", "Call-ID: another\r\nCall-ID: "),
    }
    wrong = []
    with ScriptedEndpoint(sandbox, "alice@example.com", password=PASSWORD) as alice:
        for name, (pattern, replacement) in changes.items():
            request = alice.request("MESSAGE", "sip:bob@example.com", "sip:bob@example.com", body="hello")
            alice.send(re.sub(pattern, replacement, request, count=1), godwit.address)
            answer = alice.receive(timeout=3)
            if answer is None or answer.status != 400:
                wrong.append(f"{name}: expected 400, got {answer.start if answer else 'nothing'}")
            godwit.expect_alive()
        sandbox.expect(not wrong, "\n".join(wrong))
        alice.register(godwit.address)


@scenario("noise")
def survives_noise(sandbox: Sandbox) -> None:
    """Bytes of all kinds on UDP and TCP: the server answers what it can and serves the next user."""
    godwit = Godwit(sandbox, ["alice@example.com"])
    alice = ScriptedEndpoint(sandbox, "alice@example.com", password=PASSWORD)
    random_source = random.Random(3261)
    whole = alice.request("MESSAGE", "sip:bob@example.com", "sip:bob@example.com", body="hello").encode()
    datagrams = [b"", b"\0", b"\r\n\r\n", b"\xff" * 1400, b"SIP/2.0 200 OK\r\n\r\n", b"A" * 65000, whole[:40]]
    datagrams += [whole[: random_source.randrange(len(whole))] for _ in range(50)]
    for _ in range(200):
        changed = bytearray(whole)
        for _ in range(random_source.randrange(1, 12)):
            changed[random_source.randrange(len(changed))] = random_source.randrange(256)
        datagrams.append(bytes(changed))
    for datagram in datagrams:
        alice.send(datagram, godwit.address)
    for datagram in datagrams[:60]:
        with socket.create_connection(("127.0.0.1", godwit.port)) as connection:
            connection.sendall(datagram)
    godwit.expect_alive()
    alice.close()
    with ScriptedEndpoint(sandbox, "alice@example.com", password=PASSWORD) as fresh:
        fresh.register(godwit.address)
    godwit.expect_alive()
