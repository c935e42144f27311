"""Scripted user agents (sipp): register with digest, relay, store, flush, retransmissions."""

from __future__ import annotations

from peers.godwit import PASSWORD, Godwit
from peers.sipp import Sipp
from sandbox import Sandbox
from scenarios import scenario

DOMAIN = "example.com"


def agents(sandbox: Sandbox, *names: str) -> list[Sipp]:
    return [Sipp(sandbox, name, user=name, domain=DOMAIN) for name in names]


def server(sandbox: Sandbox) -> Godwit:
    # sipp knows no digest but MD5, and looks at the first challenge only.
    return Godwit(sandbox, [f"alice@{DOMAIN}", f"bob@{DOMAIN}"], algorithms=["MD5"])


def register(agent: Sipp, godwit: Godwit, contact: int, *, expires: int = 600) -> str:
    """Registers, and returns the 200."""
    return agent.call(
        "register", godwit.port, password=PASSWORD, contact=str(contact), expires=str(expires), status="200"
    )[-1]


@scenario("sipp-register")
def registers_with_digest(sandbox: Sandbox) -> None:
    """401, then 200 that lists the contact; a wrong password never gets in; expires 0 removes."""
    godwit = server(sandbox)
    (alice,) = agents(sandbox, "alice")
    contact = f"sip:alice@127.0.0.1:{alice.port}"
    alice.call(
        "register", godwit.port, password="wrong", contact=str(alice.port), expires="600", status="401"
    )
    sandbox.expect(contact in register(alice, godwit, alice.port), "the 200 lists the contact")
    sandbox.expect(contact not in register(alice, godwit, alice.port, expires=0), "the 200 no longer lists the contact")
    godwit.expect_alive()


@scenario("sipp-relay-udp", transport="u1")
@scenario("sipp-relay-tcp", transport="t1")
def relays(sandbox: Sandbox, transport: str) -> None:
    """Messages to a registered endpoint arrive there, and its 200 goes back."""
    godwit = server(sandbox)
    alice, bob, receiver = agents(sandbox, "alice", "bob", "bob")
    receiving = receiver.receive(20)
    register(bob, godwit, receiver.port)
    alice.call(
        "message", godwit.port, calls=20, password=PASSWORD, transport=transport, callee="bob", text="live", status="200"
    )
    sandbox.expect_equal(receiving.bodies(), [f"live {n}" for n in range(1, 21)], "messages at bob")


@scenario("sipp-store-and-flush")
def stores_and_flushes(sandbox: Sandbox) -> None:
    """202 for an absent user; at the registration all arrive, once, in order; a second one brings nothing old."""
    godwit = server(sandbox)
    alice, bob, receiver = agents(sandbox, "alice", "bob", "bob")
    alice.call("message", godwit.port, calls=15, password=PASSWORD, callee="bob", text="stored", status="202")
    receiving = receiver.receive(15)
    register(bob, godwit, receiver.port)
    sandbox.expect_equal(receiving.bodies(), [f"stored {n}" for n in range(1, 16)], "messages at bob")

    # What a second flush would bring comes before the message that is sent after it.
    receiving = receiver.receive(1)
    register(bob, godwit, receiver.port)
    alice.call("message", godwit.port, password=PASSWORD, callee="bob", text="after", status="200")
    sandbox.expect_equal(receiving.bodies(), ["after 1"], "messages at bob after the second registration")


@scenario("sipp-retransmission")
def stores_a_retransmitted_request_once(sandbox: Sandbox) -> None:
    """The same request three times gets three answers and is stored once (RFC 3261 17.2.2)."""
    godwit = server(sandbox)
    alice, bob, receiver = agents(sandbox, "alice", "bob", "bob")
    alice.call("retransmitted", godwit.port, password=PASSWORD, callee="bob", text="again", options=["-nr"])
    alice.call("message", godwit.port, password=PASSWORD, callee="bob", text="last", status="202")
    receiving = receiver.receive(2)
    register(bob, godwit, receiver.port)
    sandbox.expect_equal(receiving.bodies(), ["again 1", "last 1"], "messages at bob")
