"""Presence and the deferred queue: a busy user's queue waits, an open document empties it, whoever publishes it."""

from __future__ import annotations

from peers.godwit import PASSWORD, Godwit
from peers.kamailio import PresenceServer
from peers.linphone import Linphone
from peers.presence import Publisher, document
from peers.scripted import Received, ScriptedEndpoint
from sandbox import Sandbox
from scenarios import scenario

ALICE, BOB = "alice@example.com", "bob@example.com"


@scenario("presence-busy-queue")
def busy_queue_waits(sandbox: Sandbox) -> None:
    """What waits for a user in a meeting stays where it is when his client comes; an urgent message does not, nor the rest later."""
    godwit = Godwit(sandbox, [ALICE, BOB])
    alice = ScriptedEndpoint(sandbox, ALICE, password=PASSWORD)
    calendar = Publisher(ScriptedEndpoint(sandbox, BOB, password=PASSWORD), godwit.address)
    bob = Linphone(sandbox, BOB, PASSWORD, server=godwit.address, transport="tcp")
    sandbox.expect_equal(alice.message(godwit.address, BOB, "first").status, 200, "answer while bob is there")
    bob.wait_received(1)
    bob.away()
    sandbox.expect_equal(calendar.publish(document(BOB, ("desk", "open"), activity="meeting")).status, 200, "PUBLISH")
    texts = [f"when you have time, {n}" for n in range(1, 4)]
    for text in texts:
        sandbox.expect_equal(alice.message(godwit.address, BOB, text).status, 202, "answer while bob is away")
    response = alice.message(godwit.address, BOB, "the house burns", headers=["Priority: urgent"])
    sandbox.expect_equal(response.status, 202, "answer to an urgent message while bob is away")

    bob.start()
    # It was sent last: were the queue not held, the others would have come before it.
    sandbox.expect_equal(bob.wait_received(2), ["first", "the house burns"], "messages at bob, in a meeting")
    # As long as some wait, others line up behind them, also those that come now.
    sandbox.expect_equal(alice.message(godwit.address, BOB, "and this").status, 202, "answer while bob is in a meeting")
    response = alice.message(godwit.address, BOB, "the roof, too", headers=["Priority: emergency"])
    sandbox.expect(response.status in (200, 202), f"answer to an urgent message: {response.status}")
    sandbox.expect_equal(
        bob.wait_received(3), ["first", "the house burns", "the roof, too"], "messages at bob, in a meeting"
    )

    sandbox.expect_equal(calendar.publish(document(BOB, ("desk", "open"))).status, 200, "PUBLISH after the meeting")
    expected = ["first", "the house burns", "the roof, too", *texts, "and this"]
    sandbox.expect_equal(bob.wait_received(len(expected)), expected, "messages at bob after the meeting")
    sandbox.expect_equal(alice.message(godwit.address, BOB, "last").status, 200, "answer after the meeting")
    sandbox.expect_equal(bob.wait_received(len(expected) + 1), [*expected, "last"], "messages at bob")


@scenario("presence-busy-queue-server-killed")
def busy_queue_survives(sandbox: Sandbox) -> None:
    """SIGKILL during the meeting: queue and publication are there again, and it goes on waiting until the publication is removed."""
    godwit = Godwit(sandbox, [ALICE, BOB])
    alice = ScriptedEndpoint(sandbox, ALICE, password=PASSWORD)
    bob = ScriptedEndpoint(sandbox, BOB, password=PASSWORD)
    calendar = Publisher(ScriptedEndpoint(sandbox, BOB, password=PASSWORD), godwit.address)
    calendar.publish(document(BOB, activity="meeting"))
    for text in ("one", "two"):
        sandbox.expect_equal(alice.message(godwit.address, BOB, text).status, 202, "answer while bob is away")
    godwit.kill()
    godwit.start()
    bob.register(godwit.address)
    sandbox.expect_equal(
        alice.message(godwit.address, BOB, "now", headers=["Priority: urgent"]).status, 202, "answer to an urgent message"
    )
    (urgent,) = bob.take_messages(1)
    sandbox.expect_equal(urgent.body, b"now", "the first message at bob")
    sandbox.expect_equal(calendar.publish(expires=0).status, 200, "answer to the removal")
    rest = [message.body for message in bob.take_messages(2)]
    sandbox.expect_equal(rest, [b"one", b"two"], "messages at bob after the meeting")


def next_message(sandbox: Sandbox, endpoint: ScriptedEndpoint, *, other_than: Received | None = None) -> Received:
    """The next MESSAGE, unanswered; retransmissions of `other_than` are passed over."""
    limit = sandbox.limit(10)
    while (remaining := limit - sandbox.now()) > 0:
        request = endpoint.receive(timeout=remaining)
        if request and request.method == "MESSAGE" and (other_than is None or request.branch != other_than.branch):
            return request
    sandbox.fail(f"{endpoint.identity} got no message")


@scenario("presence-external-server", package="presence")
@scenario("presence-external-registrar", package="reg")
def an_external_server_wakes_the_queue(sandbox: Sandbox, package: str) -> None:
    """While a message waits, Godwit subscribes at Kamailio; an open document or an active contact there sends it (figure 10)."""
    elsewhere = PresenceServer(sandbox, domain="example.com")
    godwit = Godwit(
        sandbox, [ALICE, BOB],
        settings={"presence": {"external": [{"event": package, "server": f"sip:{elsewhere.address}", "as": BOB}]}},
    )  # fmt: skip
    alice, bob = (ScriptedEndpoint(sandbox, who, password=PASSWORD) for who in (ALICE, BOB))
    sandbox.expect_equal(bob.message(godwit.address, ALICE, "for when you are back").status, 202, "answer to bob")
    elsewhere.wait_request("SUBSCRIBE", ALICE)
    alice.register(godwit.address)
    first = next_message(sandbox, alice)
    # Of itself, it would come again after about 20 s (`retry.initial` of the profile lan).
    alice.answer(first, 480, "Temporarily Unavailable")
    if package == "presence":
        elsewhere.publish("alice", "closed")
        elsewhere.publish("alice", "open")
    else:
        ScriptedEndpoint(sandbox, ALICE).register(elsewhere.address)
    again = next_message(sandbox, alice, other_than=first)
    alice.answer(again)
    sandbox.expect_equal(again.body, first.body, "the message that comes again")
    # With the last message the subscription goes.
    elsewhere.wait_request("SUBSCRIBE", ALICE, expires="0")
    godwit.expect_alive()
