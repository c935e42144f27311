"""What Godwit sends, as Wireshark's dissectors see it."""

from __future__ import annotations

from peers.baresip import ALGORITHMS as BARESIP_ALGORITHMS
from peers.baresip import Baresip
from peers.godwit import PASSWORD, Godwit
from peers.linphone import Linphone
from peers.scripted import ScriptedEndpoint
from peers.tshark import WARNING, Capture
from sandbox import Sandbox
from scenarios import scenario

ALICE, BOB = "alice@example.com", "bob@example.com"


@scenario("tshark-decodes", seconds=90)
def tshark_decodes(sandbox: Sandbox) -> None:
    """Registration, relay, store, flush and refusals on UDP: every datagram is SIP without a warning."""
    godwit = Godwit(sandbox, [ALICE, BOB], algorithms=BARESIP_ALGORITHMS)
    capture = Capture(sandbox, godwit.port)
    alice = Linphone(sandbox, ALICE, PASSWORD, server=godwit.address)
    bob = Baresip(sandbox, BOB, PASSWORD, server=godwit.address, correspondent=ALICE)
    sandbox.expect_equal(alice.send(BOB, "ünïcödé"), 200, "answer to a message to a present user")
    bob.wait_received(1)
    bob.away()
    sandbox.expect_equal(alice.send_all(BOB, ["one", "two"]), [202, 202], "answers while bob is away")
    bob.start()
    bob.wait_received(3)
    with ScriptedEndpoint(sandbox, "stranger@example.org") as stranger:
        request = stranger.request("MESSAGE", f"sip:{BOB}", f"sip:{BOB}", body="spam")
        stranger.final_response(request, godwit.address)
        request = stranger.request("OPTIONS", f"sip:{BOB}", f"sip:{BOB}")
        stranger.final_response(request.replace("Max-Forwards: 70", "Max-Forwards: 0"), godwit.address)
    capture.wait_packet(r"SIP.* 483 |Status: 483")
    capture.stop()

    ours = f"udp.srcport == {godwit.port}"
    sent = capture.fields(ours, "sip.Method", "sip.Status-Code", "sip.CSeq.method")
    methods = [fields[0] for fields in sent]
    sandbox.expect(methods.count("MESSAGE") >= 3, f"at least 3 MESSAGE sent, got {sent}")
    statuses = {fields[1] for fields in sent}
    sandbox.expect({"200", "202", "401", "483"} <= statuses, f"all kinds of answers sent, got {sorted(statuses)}")

    sandbox.expect_equal(capture.fields(f"{ours} && !sip", "frame.number"), [], "datagrams that are not SIP")
    complaints = capture.fields(
        f"{ours} && (_ws.malformed || _ws.expert.severity >= {WARNING})",
        "frame.number", "_ws.col.Info", "_ws.expert.message",
    )  # fmt: skip
    sandbox.expect_equal(complaints, [], "complaints of tshark")
