"""Presence with programs that are not ours: stock clients publish and watch each other, sipp tries the error paths, and an external
presence server wakes the deferred queue."""

from __future__ import annotations

import json

from peers.baresip import Baresip
from peers.godwit import PASSWORD, Godwit
from peers.kamailio import PresenceServer
from peers.linphone import Linphone
from peers.scripted import ScriptedEndpoint
from peers.sipp import Sipp
from sandbox import Sandbox
from scenarios import scenario

ALICE, BOB = "alice@example.com", "bob@example.com"

DOCUMENT = (
    '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.com">'
    '<tuple id="t1"><status><basic>open</basic></status></tuple></presence>'
)

HEAD = """\
{method} sip:alice@example.com SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:alice@example.com>;tag=[pid]p[call_number]
To: <sip:alice@example.com>
Call-ID: [call_id]
CSeq: {sequence} {method}
Contact: <sip:alice@[local_ip]:[local_port]>
"""

# name: (method, header lines, body, status, where that is said)
REFUSED = {
    "unknown entity-tag": ("PUBLISH", "Event: presence\nSIP-If-Match: abc", "", 412, "RFC 3903 6 step 3"),
    "too short a publication": ("PUBLISH", "Event: presence\nExpires: 5", DOCUMENT, 423, "RFC 3903 6 step 4"),
    "no presence document": (
        "PUBLISH", "Event: presence\nContent-Type: text/plain", "hello", 415, "RFC 3903 6 step 5"),
    "a document that is none": ("PUBLISH", "Event: presence", "<presence", 400, "RFC 3903 6 step 5"),
    "too short a subscription": ("SUBSCRIBE", "Event: presence\nExpires: 5", "", 423, "RFC 6665 4.2.1.1"),
    "a format nobody has": ("SUBSCRIBE", "Event: presence\nAccept: text/plain", "", 406, "RFC 3856 6.5"),
    "a filter that is none": (
        "SUBSCRIBE", "Event: presence\nContent-Type: application/simple-filter+xml", "<filter-set", 488,
        "RFC 4660 5.4"),
}  # fmt: skip

# The same, but refused before anybody has to prove anything.
REFUSED_AT_ONCE = {
    "an extension nobody knows": ("SUBSCRIBE", "Event: presence\nRequire: nonsense", "", 420, "RFC 3261 8.2.2.3"),
    "unknown package to watch": ("SUBSCRIBE", "Event: nonsense", "", 489, "RFC 6665 4.2.1.1"),
    "unknown package to publish": ("PUBLISH", "Event: nonsense", DOCUMENT, 489, "RFC 3903 6 step 2"),
    "no package": ("PUBLISH", "X-Nothing: x", DOCUMENT, 489, "RFC 3903 6 step 2"),
}


def request(method: str, sequence: int, lines: str, body: str) -> str:
    head = HEAD.replace("{method}", method).replace("{sequence}", str(sequence)) + lines + "\n"
    if body and "Content-Type" not in lines:
        head += "Content-Type: application/pidf+xml\n"
    return f"{head}Content-Length: {len(body)}\n\n{body}"


@scenario("presence-errors", seconds=120)
def errors_are_answered(sandbox: Sandbox) -> None:
    godwit = Godwit(sandbox, [ALICE, BOB], algorithms=["MD5"])
    agent = Sipp(sandbox, "alice", user="alice", domain="example.com")
    for method, lines, body, status, _ in REFUSED.values():
        agent.call(
            "authenticated-request", godwit.port, password=PASSWORD, callee="alice",
            first=request(method, 1, lines, body),
            second=request(method, 2, lines + "\n[authentication]", body), status=str(status),
        )  # fmt: skip
    for method, lines, body, status, _ in REFUSED_AT_ONCE.values():
        agent.call("one-request", godwit.port, request=request(method, 1, lines, body), status=str(status))
    with ScriptedEndpoint(sandbox, ALICE) as endpoint:
        gone = endpoint.request(
            "SUBSCRIBE", f"sip:{godwit.address}", "sip:alice@example.com",
            headers=["Event: presence", f"Contact: <sip:alice@127.0.0.1:{endpoint.port}>"],
        ).replace("To: <sip:alice@example.com>", "To: <sip:alice@example.com>;tag=0123456789abcdef")  # fmt: skip
        sandbox.expect_equal(endpoint.final_response(gone, godwit.address).status, 481, "a dialog that is none")
    godwit.expect_alive()


def publications(godwit: Godwit) -> dict[str, str]:
    """The documents published, by user."""
    lines = [json.loads(line) for line in godwit.command("presence", "show", "--json")]
    return {line["user"]: line["document"] for line in lines}


def watchers(godwit: Godwit) -> set[tuple[str, str]]:
    """Who watches whom."""
    lines = [json.loads(line) for line in godwit.command("presence", "watchers", "--json")]
    return {(line["watcher"], line["user"]) for line in lines if line["event"] == "presence"}


@scenario("presence-clients", seconds=120)
def clients_watch_each_other(sandbox: Sandbox) -> None:
    """Linphone and baresip publish, subscribe, and see each other come and go."""
    godwit = Godwit(sandbox, [ALICE, BOB], algorithms=["MD5"])
    alice = Linphone(sandbox, ALICE, PASSWORD, server=godwit.address, friend=BOB)
    bob = Baresip(sandbox, BOB, PASSWORD, server=godwit.address, correspondent=ALICE, presence=True)
    pairs = {("sip:alice@example.com", "sip:bob@example.com"), ("sip:bob@example.com", "sip:alice@example.com")}
    sandbox.poll(lambda: watchers(godwit) >= pairs, "both subscriptions", timeout=40)

    bob.command("presence_online")
    sandbox.poll(lambda: "open" in publications(godwit).get("sip:bob@example.com", ""), "bob's publication", timeout=20)
    sandbox.poll(lambda: alice.has_seen_presence("open"), "linphone's notification that bob is open", timeout=20)
    bob.command("presence_offline")
    sandbox.poll(lambda: alice.has_seen_presence("closed"), "linphone's notification that bob is closed", timeout=20)

    sandbox.poll(lambda: "sip:alice@example.com" in publications(godwit), "alice's publication", timeout=20)
    sandbox.poll(lambda: bob.has_seen_presence("open"), "baresip's notification that alice is open", timeout=20)
    godwit.expect_alive()


def next_message(sandbox: Sandbox, endpoint: ScriptedEndpoint):
    """The next MESSAGE."""

    def probe():
        request = endpoint.receive(timeout=0.5)
        return request if request and request.method == "MESSAGE" else None

    return sandbox.poll(probe, "a message", timeout=10)


@scenario("presence-external-server", seconds=120)
def an_external_server_wakes_the_queue(sandbox: Sandbox) -> None:
    """Kamailio is the presence server: Godwit subscribes there while a message waits, and delivers when alice is open."""
    elsewhere = PresenceServer(sandbox, domain="example.com")
    godwit = Godwit(
        sandbox, [ALICE, BOB],
        settings={"presence": {"external": [
            {"event": "presence", "server": f"sip:{elsewhere.address}", "as": "bob@example.com"}
        ]}},
    )  # fmt: skip
    with ScriptedEndpoint(sandbox, ALICE, password=PASSWORD) as alice, ScriptedEndpoint(
        sandbox, BOB, password=PASSWORD
    ) as bob:
        alice.register(godwit.address)
        alice.register(godwit.address, expires=0)
        sandbox.expect_equal(bob.message(godwit.address, ALICE, "for when you are back").status, 202, "answer to bob")
        alice.register(godwit.address)
        first = next_message(sandbox, alice)
        alice.answer(first, 480, "Temporarily Unavailable")
        sandbox.poll(lambda: elsewhere.has_subscription("alice"), "godwit's subscription", timeout=20)
        elsewhere.publish("alice", "open")
        again = next_message(sandbox, alice)
        alice.answer(again)
        sandbox.expect(again.body == first.body, "the same message")
    godwit.expect_alive()
