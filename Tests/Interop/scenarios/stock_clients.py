"""Two stock clients write to each other through Godwit, while both are there and while one is away."""

from __future__ import annotations

from peers.baresip import ALGORITHMS as BARESIP_ALGORITHMS
from peers.baresip import Baresip
from peers.godwit import PASSWORD, Godwit
from peers.linphone import Linphone
from sandbox import Authority, Sandbox
from scenarios import scenario

ALICE, BOB = "alice@example.com", "bob@example.com"
UNICODE = 'Grüße, "Bob": 北京 ☂ \\ 100 %'


@scenario("clients-udp", alice_over="udp", bob_over="udp")
@scenario("clients-tcp", alice_over="tcp", bob_over="tcp")
@scenario("clients-tls", alice_over="tls", bob_over="tls")
@scenario("clients-tls-and-udp", alice_over="tls", bob_over="udp")
def linphone_and_baresip(sandbox: Sandbox, alice_over: str, bob_over: str) -> None:
    authority = Authority(sandbox)
    godwit = Godwit(sandbox, [ALICE, BOB], authority=authority, algorithms=BARESIP_ALGORITHMS)
    alice = Linphone(
        sandbox, ALICE, PASSWORD, server=godwit.address_for(alice_over), transport=alice_over, authority=authority
    )
    bob = Baresip(
        sandbox, BOB, PASSWORD, server=godwit.address_for(bob_over), transport=bob_over, authority=authority,
        correspondent=ALICE,
    )  # fmt: skip
    converse(sandbox, alice, bob)
    godwit.expect_alive()


@scenario("clients-sha-256", algorithms=["SHA-256"])
@scenario("clients-three-algorithms", algorithms=["SHA-256", "SHA-512-256", "MD5"])
def two_linphones(sandbox: Sandbox, algorithms: list[str]) -> None:
    """A server that offers no MD5, and one that also offers what the client does not know."""
    godwit = Godwit(sandbox, [ALICE, BOB], algorithms=algorithms)
    alice = Linphone(sandbox, ALICE, PASSWORD, server=godwit.address)
    bob = Linphone(sandbox, BOB, PASSWORD, server=godwit.address, transport="tcp")
    converse(sandbox, alice, bob)


@scenario("clients-account-algorithms")
def one_account_with_md5_only(sandbox: Sandbox) -> None:
    """Baresip with a server that offers SHA-256 to everybody else: its account is for MD5 only."""
    godwit = Godwit(sandbox, [ALICE, BOB], account_algorithms={BOB: "MD5"})
    alice = Linphone(sandbox, ALICE, PASSWORD, server=godwit.address)
    bob = Baresip(sandbox, BOB, PASSWORD, server=godwit.address, correspondent=ALICE)
    converse(sandbox, alice, bob)


@scenario("client-reports")
def delivery_reports(sandbox: Sandbox) -> None:
    """Linphone confirms what it shows (message/imdn+xml, deflated): Godwit carries that back untouched, stored or not."""
    godwit = Godwit(sandbox, [ALICE, BOB])
    alice = Linphone(sandbox, ALICE, PASSWORD, server=godwit.address)
    bob = Linphone(sandbox, BOB, PASSWORD, server=godwit.address, transport="tcp")
    sandbox.expect_equal(alice.send(BOB, "live"), 200, "answer to a message to a present user")
    sandbox.expect_equal(bob.wait_received(1), ["live"], "messages at bob")
    alice.wait_reports(1)
    bob.away()
    sandbox.expect_equal(alice.send_all(BOB, ["one", "two"]), [202, 202], "answers while bob is away")
    bob.start()
    sandbox.expect_equal(bob.wait_received(3), ["live", "one", "two"], "messages at bob")
    alice.wait_reports(3)


def converse(sandbox: Sandbox, alice, bob) -> None:
    """Live both ways, then each in turn away while the other writes to it."""
    sandbox.expect_equal(alice.send(BOB, UNICODE), 200, "answer to a message to a present user")
    sandbox.expect_equal(bob.wait_received(1), [UNICODE], "messages at bob")
    sandbox.expect_equal(bob.send(ALICE, "welcome"), 200, "answer to a message to a present user")
    sandbox.expect_equal(alice.wait_received(1), ["welcome"], "messages at alice")

    for writer, reader, to, first in ((alice, bob, BOB, UNICODE), (bob, alice, ALICE, "welcome")):
        reader.away()
        texts = [f"while {to} is away, {n}" for n in range(1, 9)]
        sandbox.expect_equal(writer.send_all(to, texts), [202] * len(texts), f"answers while {to} is away")
        reader.start()
        sandbox.expect_equal(reader.wait_received(1 + len(texts)), [first, *texts], f"messages at {to}, back again")
        # Anything delivered twice would come before this.
        sandbox.expect_equal(writer.send(to, "last"), 200, "answer to a message to a present user")
        sandbox.expect_equal(reader.wait_received(2 + len(texts)), [first, *texts, "last"], f"messages at {to}")


@scenario("client-large-message")
def large_message_to_a_client_without_tcp(sandbox: Sandbox) -> None:
    """More than 1300 bytes try TCP first; where nobody listens they go by UDP after all (RFC 3261 18.1.1)."""
    godwit = Godwit(sandbox, [ALICE, BOB])
    alice = Linphone(sandbox, ALICE, PASSWORD, server=godwit.address, transport="tcp")
    bob = Linphone(sandbox, BOB, PASSWORD, server=godwit.address, transport="udp")
    text = "a long story " * 150 + "ends"
    sandbox.expect_equal(alice.send(BOB, text), 200, "answer to a large message")
    sandbox.expect_equal(bob.wait_received(1), [text], "messages at bob")


@scenario("client-vanishes-udp", transport="udp", seconds=90)
@scenario("client-vanishes-tcp", transport="tcp")
@scenario("client-vanishes-tls", transport="tls")
def client_vanishes(sandbox: Sandbox, transport: str) -> None:
    """A client that dies without unregistering: its flow is gone, or it stays silent; what is written to it is stored."""
    authority = Authority(sandbox)
    godwit = Godwit(sandbox, [ALICE, BOB], authority=authority)
    alice = Linphone(sandbox, ALICE, PASSWORD, server=godwit.address)
    bob = Linphone(
        sandbox, BOB, PASSWORD, server=godwit.address_for(transport), transport=transport, authority=authority
    )
    sandbox.expect_equal(alice.send(BOB, "one"), 200, "answer to a message to a present user")
    bob.wait_received(1)
    bob.vanish()
    sandbox.expect_equal(alice.send_all(BOB, ["two", "three"]), [202, 202], "answers while the flow is gone")
    bob.start()
    sandbox.expect_equal(bob.wait_received(3), ["one", "two", "three"], "messages at bob")


@scenario("server-killed")
def server_killed(sandbox: Sandbox) -> None:
    """After SIGKILL, what got its 202 is delivered once, and bindings are still there."""
    godwit = Godwit(sandbox, [ALICE, BOB], algorithms=BARESIP_ALGORITHMS)
    alice = Linphone(sandbox, ALICE, PASSWORD, server=godwit.address)
    bob = Baresip(sandbox, BOB, PASSWORD, server=godwit.address, correspondent=ALICE)
    bob.away()
    texts = [f"stored {n}" for n in range(1, 6)]
    sandbox.expect_equal(alice.send_all(BOB, texts), [202] * len(texts), "answers while bob is away")
    godwit.kill()
    godwit.start()
    bob.start()
    sandbox.expect_equal(bob.wait_received(len(texts)), texts, "messages at bob")
    # Alice registered before the kill, over UDP: her binding must have survived.
    sandbox.expect_equal(bob.send(ALICE, "still there?"), 200, "answer to a message over a binding from before the kill")
    sandbox.expect_equal(alice.wait_received(1), ["still there?"], "messages at alice")
    sandbox.expect_equal(alice.send(BOB, "yes"), 200, "answer to a message to a present user")
    sandbox.expect_equal(bob.wait_received(len(texts) + 1), [*texts, "yes"], "messages at bob")
