"""The same message sent again is acknowledged again and stored once, whatever happens in between."""

from __future__ import annotations

from peers.godwit import PASSWORD, Godwit
from peers.scripted import ScriptedEndpoint
from sandbox import Sandbox
from scenarios import scenario

ALICE, BOB = "alice@example.com", "bob@example.com"


@scenario("replay-after-restart")
def replay_after_restart(sandbox: Sandbox) -> None:
    """A client that heard no answer sends the request anew (same Call-ID and CSeq) after the server was killed."""
    godwit = Godwit(sandbox, [ALICE, BOB])
    with (
        ScriptedEndpoint(sandbox, ALICE, password=PASSWORD) as alice,
        ScriptedEndpoint(sandbox, BOB, password=PASSWORD) as bob,
    ):

        def send(body: str, call: str) -> int:
            return alice.authenticated(
                lambda extra: alice.request(
                    "MESSAGE", f"sip:{BOB}", f"sip:{BOB}", headers=extra, body=body, call_id=call, sequence=7
                ),
                godwit.address,
            ).status

        sandbox.expect_equal(send("first", "call-1"), 202, "answer to the first message")
        sandbox.expect_equal(send("first", "call-1"), 202, "answer to its replay")
        godwit.kill()
        godwit.start()
        sandbox.expect_equal(send("first", "call-1"), 202, "answer to its replay after the restart")
        sandbox.expect_equal(send("second", "call-2"), 202, "answer to the second message")
        bob.register(godwit.address)
        messages = bob.take_messages(2)
        sandbox.expect_equal([message.body for message in messages], [b"first", b"second"], "messages at bob")
        for message in messages:
            sandbox.expect(message.first("date") is not None, "a deferred message carries its Date")


@scenario("redelivery-after-kill")
def redelivery_after_kill(sandbox: Sandbox) -> None:
    """Killed before the 2xx came: what is sent again has the same Call-ID, CSeq and branch, so it is a retransmission."""
    godwit = Godwit(sandbox, [ALICE, BOB])
    with (
        ScriptedEndpoint(sandbox, ALICE, password=PASSWORD) as alice,
        ScriptedEndpoint(sandbox, BOB, password=PASSWORD) as bob,
    ):
        sandbox.expect_equal(alice.message(godwit.address, BOB, "hold on").status, 202, "answer to the message")
        bob.register(godwit.address)
        before = bob.receive(timeout=10)
        sandbox.expect(before is not None and before.method == "MESSAGE", "bob gets the message")
        godwit.kill()
        godwit.start()
        after = bob.receive(timeout=40)
        while after is not None and after.method != "MESSAGE":
            after = bob.receive(timeout=40)
        sandbox.expect(after is not None, "bob gets the message again")
        bob.answer(after)
        for name in ("call-id", "cseq", "from", "to"):
            sandbox.expect_equal(after.first(name), before.first(name), f"{name} of the message sent again")
        sandbox.expect_equal(after.branch, before.branch, "branch of the message sent again")
        sandbox.expect_equal(after.body, before.body, "body of the message sent again")
