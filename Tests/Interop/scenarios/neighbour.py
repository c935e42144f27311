"""Kamailio serves example.net next door: messages cross in both directions, live and deferred."""

from __future__ import annotations

from peers.baresip import Baresip
from peers.godwit import PASSWORD, Godwit
from peers.kamailio import PASSWORD as KAMAILIO_PASSWORD
from peers.kamailio import Kamailio
from peers.linphone import Linphone
from peers.scripted import ScriptedEndpoint
from sandbox import Authority, Sandbox
from scenarios import scenario

ALICE, KIM = "alice@example.com", "kim@example.net"


def two_domains(
    sandbox: Sandbox,
    there: str = "udp",
    back: str = "udp",
    authorities: tuple[Authority, Authority] | None = None,
) -> tuple[Godwit, Kamailio]:
    """Godwit and its neighbour, the transports between them, and the authority of each where there is TLS."""
    ours, theirs = authorities or (None, None)
    port = sandbox.free_port()
    kamailio = Kamailio(sandbox, next_hop=f"sip:127.0.0.1:{port};transport={back}", authority=theirs)
    godwit = Godwit(
        sandbox, [ALICE], neighbours={"example.net": kamailio.next_hop(there)}, port=port, authority=ours
    )
    return godwit, kamailio


@scenario("neighbour-live-and-deferred", seconds=90)
def messages_cross(sandbox: Sandbox) -> None:
    godwit, kamailio = two_domains(sandbox)
    alice = Linphone(sandbox, ALICE, PASSWORD, server=godwit.address)
    kim = Baresip(sandbox, KIM, KAMAILIO_PASSWORD, server=kamailio.address, correspondent=ALICE)

    sandbox.expect_equal(alice.send(KIM, "over the fence"), 200, "answer from example.net")
    sandbox.expect_equal(kim.wait_received(1), ["over the fence"], "messages at kim")
    sandbox.expect_equal(kim.send(ALICE, "and back"), 200, "answer from example.com")
    sandbox.expect_equal(alice.wait_received(1), ["and back"], "messages at alice")

    # Deferred by Godwit: once, in order.
    alice.away()
    texts = [f"for later {n}" for n in range(1, 6)]
    sandbox.expect_equal(kim.send_all(ALICE, texts), [202] * 5, "answers from example.com while alice is away")
    alice.start()
    sandbox.expect_equal(alice.wait_received(6), ["and back", *texts], "messages at alice")
    sandbox.expect_equal(kim.send(ALICE, "last"), 200, "answer from example.com")
    sandbox.expect_equal(alice.wait_received(7), ["and back", *texts, "last"], "messages at alice")

    # Deferred by Kamailio, whose order is its own affair.
    kim.away()
    sandbox.expect_equal(alice.send_all(KIM, texts), [202] * 5, "answers from example.net while kim is away")
    kim.start()
    sandbox.expect_equal(
        sorted(kim.wait_received(6)), sorted(["over the fence", *texts]), "messages at kim"
    )


@scenario("neighbour-trust")
def neighbour_is_trusted_and_nobody_else(sandbox: Sandbox) -> None:
    """A neighbour's message needs no digest; a stranger's is challenged, and no stranger uses Godwit as a relay."""
    godwit, kamailio = two_domains(sandbox)
    with (
        ScriptedEndpoint(sandbox, KIM, password=KAMAILIO_PASSWORD) as kim,
        ScriptedEndpoint(sandbox, "stranger@example.org") as stranger,
    ):
        sandbox.expect_equal(kim.message(kamailio.address, ALICE, "by the gate").status, 202, "answer to kim's message")
        for to in (ALICE, KIM):
            request = stranger.request("MESSAGE", f"sip:{to}", f"sip:{to}", body="spam")
            status = stranger.final_response(request, godwit.address).status
            sandbox.expect(status in (401, 403, 407), f"a stranger's message to {to} got {status}")


@scenario("neighbour-large-message")
def large_message_leaves_by_tcp(sandbox: Sandbox) -> None:
    """More than 1300 bytes do not leave by UDP, though the route says so (RFC 3428 8, RFC 3261 18.1.1)."""
    godwit, kamailio = two_domains(sandbox)
    text = "a long story " * 150
    with (
        ScriptedEndpoint(sandbox, ALICE, password=PASSWORD) as alice,
        ScriptedEndpoint(sandbox, KIM, password=KAMAILIO_PASSWORD) as kim,
    ):
        sandbox.expect_equal(alice.message(godwit.address, KIM, text).status, 202, "answer from example.net")
        kamailio.program.wait_line(rf"request MESSAGE sip:{KIM} from \S+ over tcp", timeout=10)
        kim.register(kamailio.address, algorithm="MD5")
        (message,) = kim.take_messages(1)
        sandbox.expect_equal(message.body.decode(), text, "body at kim")


@scenario("neighbour-tls")
def neighbour_by_tls(sandbox: Sandbox) -> None:
    """To the neighbour by TLS, whose certificate names the next hop (RFC 5922)."""
    authority = Authority(sandbox)
    godwit, kamailio = two_domains(sandbox, there="tls", authorities=(authority, authority))
    with ScriptedEndpoint(sandbox, ALICE, password=PASSWORD) as alice:
        sandbox.expect_equal(alice.message(godwit.address, KIM, "sealed").status, 202, "answer from example.net")
        kamailio.program.wait_line(rf"request MESSAGE sip:{KIM} from \S+ over tls", timeout=10)
        sandbox.expect_equal(kamailio.stored(), 1, "messages in example.net's store")


@scenario("neighbour-tls-stranger")
def neighbour_with_a_strange_certificate(sandbox: Sandbox) -> None:
    """A neighbour whose certificate is from an authority that is not trusted gets nothing."""
    godwit, kamailio = two_domains(
        sandbox, there="tls", authorities=(Authority(sandbox, "ours"), Authority(sandbox, "theirs"))
    )
    with ScriptedEndpoint(sandbox, ALICE, password=PASSWORD) as alice:
        status = alice.message(godwit.address, KIM, "sealed").status
        sandbox.expect(status >= 400, f"a message that could not be delivered got {status}")
        sandbox.expect_equal(kamailio.stored(), 0, "messages in example.net's store")


@scenario("neighbour-by-tcp")
def neighbour_comes_by_tcp(sandbox: Sandbox) -> None:
    """The neighbour comes by TCP, from a port that is any, and is trusted all the same."""
    godwit, kamailio = two_domains(sandbox, back="tcp")
    with (
        ScriptedEndpoint(sandbox, KIM, password=KAMAILIO_PASSWORD) as kim,
        ScriptedEndpoint(sandbox, ALICE, password=PASSWORD) as alice,
    ):
        sandbox.expect_equal(kim.message(kamailio.address, ALICE, "by land").status, 202, "answer to kim")
        alice.register(godwit.address)
        (message,) = alice.take_messages(1)
        sandbox.expect_equal(message.body, b"by land", "body at alice")
