"""Stock clients publish and watch each other through Godwit: what is tested is what they show their users."""

from __future__ import annotations

from peers.baresip import ALGORITHMS as BARESIP_ALGORITHMS
from peers.baresip import Baresip
from peers.godwit import PASSWORD, Godwit
from peers.kamailio import PresenceServer
from peers.linphone_console import LinphoneConsole
from peers.tshark import WARNING, Capture
from sandbox import Authority, Sandbox
from scenarios import scenario

# baresip forgets one of its publications at its start: it has to run out.
SHORT_LIVES = {"publications": {"minimum": "1s", "default": "1h", "maximum": "1h"}}
ALICE, BOB = "alice@example.com", "bob@example.com"


@scenario("presence-clients-udp", transport="udp")
@scenario("presence-clients-tcp", transport="tcp")
@scenario("presence-clients-tls", transport="tls")
def linphone_and_baresip(sandbox: Sandbox, transport: str) -> None:
    """Each sees the other come, change and leave."""
    authority = Authority(sandbox)
    godwit = Godwit(
        sandbox, [ALICE, BOB], algorithms=BARESIP_ALGORITHMS, settings={"presence": SHORT_LIVES}, authority=authority
    )
    way = {"server": godwit.address_for(transport), "transport": transport, "authority": authority}
    alice = LinphoneConsole(sandbox, ALICE, PASSWORD, friends=[BOB], **way)
    bob = Baresip(sandbox, BOB, PASSWORD, correspondent=ALICE, publishing=10, **way)
    bob.wait_presence("Online")
    alice.wait_presence(BOB, "Online")
    for available, shown in ((False, "Offline"), (True, "Online")):
        seen = alice.program.mark()
        bob.set_presence(available)
        alice.wait_presence(BOB, shown, after=seen)

    alice.away()
    bob.wait_presence("Offline")
    alice.start()
    bob.wait_presence("Online")
    alice.wait_presence(BOB, "Online")
    seen = alice.program.mark()
    bob.away()
    alice.wait_presence(BOB, "Offline", after=seen)
    godwit.expect_alive()


@scenario("presence-clients-server-killed")
def server_killed(sandbox: Sandbox) -> None:
    """SIGKILL of Godwit: neither client notices; both subscriptions and both publications go on."""
    godwit = Godwit(sandbox, [ALICE, BOB], algorithms=BARESIP_ALGORITHMS)
    alice = LinphoneConsole(sandbox, ALICE, PASSWORD, server=godwit.address, friends=[BOB])
    bob = Baresip(sandbox, BOB, PASSWORD, server=godwit.address, correspondent=ALICE, publishing=600)
    alice.wait_presence(BOB, "Online")
    bob.wait_presence("Online")
    godwit.kill()
    godwit.start()
    seen = alice.program.mark()
    bob.set_presence(False)
    alice.wait_presence(BOB, "Offline", after=seen)
    alice.away()
    bob.wait_presence("Offline")


@scenario("presence-clients-neighbour")
def neighbour(sandbox: Sandbox) -> None:
    """Linphone watches a user of the domain next door, whose presence server is Kamailio."""
    kamailio = PresenceServer(sandbox, domain="example.net")
    godwit = Godwit(sandbox, [ALICE], neighbours={"example.net": kamailio.next_hop()})
    kamailio.publish("kim", "closed")
    kim = "kim@example.net"
    alice = LinphoneConsole(sandbox, ALICE, PASSWORD, server=godwit.address, friends=[kim])
    alice.wait_presence(kim, "Offline")
    seen = alice.program.mark()
    kamailio.publish("kim", "open")
    alice.wait_presence(kim, "Online", after=seen)
    mark = kamailio.program.mark()
    alice.away()
    kamailio.wait_request("SUBSCRIBE", kim, expires="0", after=mark)
    godwit.expect_alive()


@scenario("presence-tshark", seconds=90)
def tshark_decodes(sandbox: Sandbox) -> None:
    """Publications, subscriptions and notifications on the wire: all SIP, their bodies XML, no warning."""
    godwit = Godwit(sandbox, [ALICE, BOB], algorithms=BARESIP_ALGORITHMS)
    capture = Capture(sandbox, godwit.port)
    alice = LinphoneConsole(sandbox, ALICE, PASSWORD, server=godwit.address, friends=[BOB])
    bob = Baresip(sandbox, BOB, PASSWORD, server=godwit.address, correspondent=ALICE, publishing=600)
    alice.wait_presence(BOB, "Online")
    seen = alice.program.mark()
    bob.set_presence(False)
    alice.wait_presence(BOB, "Offline", after=seen)
    bob.wait_presence("Online")
    alice.away()
    bob.wait_presence("Offline")
    capture.wait_packet(r"NOTIFY", count=4)
    capture.stop()
    ours = f"udp.srcport == {godwit.port}"
    told = f'{ours} && sip.Method == "NOTIFY"'
    sandbox.expect(len(capture.fields(f"{told} && xml", "frame.number")) >= 4, "fewer than 4 NOTIFY with a document")
    sandbox.expect_equal(
        capture.fields(f"{told} && sip.Content-Length > 0 && !xml", "frame.number"), [], "documents that are not XML"
    )
    sandbox.expect_equal(capture.fields(f"{ours} && !sip", "frame.number"), [], "datagrams that are not SIP")
    complaints = capture.fields(
        f"{ours} && (_ws.malformed || _ws.expert.severity >= {WARNING})",
        "frame.number", "_ws.col.Info", "_ws.expert.message",
    )  # fmt: skip
    sandbox.expect_equal(complaints, [], "complaints of tshark")
