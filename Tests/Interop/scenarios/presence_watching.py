"""Watchers of our own: who may see what, partial and conditional notification, watcher information, SIGKILL in between."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from peers.godwit import PASSWORD, Godwit
from peers.presence import PIDF, PIDF_DIFF, Publisher, Watcher, document, statuses
from peers.scripted import Received, ScriptedEndpoint
from sandbox import Sandbox
from scenarios import scenario

DOMAIN = "example.com"
ALICE = f"alice@{DOMAIN}"
PEOPLE = ("alice", "bob", "carol", "dave")
WATCHERINFO = "{urn:ietf:params:xml:ns:watcherinfo}"


def rules(**handling: str) -> str:
    """Rules of RFC 5025: for each user the handling, and all there is to see."""
    each = "".join(
        f'<cr:rule id="{name}"><cr:conditions><cr:identity><cr:one id="sip:{name}@{DOMAIN}"/></cr:identity></cr:conditions>'
        f"<cr:actions><pr:sub-handling>{decision}</pr:sub-handling></cr:actions><cr:transformations>"
        "<pr:provide-services><pr:all-services/></pr:provide-services>"
        "<pr:provide-persons><pr:all-persons/></pr:provide-persons><pr:provide-all-attributes/>"
        "</cr:transformations></cr:rule>"
        for name, decision in handling.items()
    )
    return (
        '<cr:ruleset xmlns:cr="urn:ietf:params:xml:ns:common-policy" '
        f'xmlns:pr="urn:ietf:params:xml:ns:pres-rules">{each}</cr:ruleset>'
    )


class Stage:
    """A server with alice, who publishes, and others who watch her."""

    def __init__(self, sandbox: Sandbox, **presence: object) -> None:
        self.sandbox = sandbox
        self.godwit = Godwit(sandbox, [f"{name}@{DOMAIN}" for name in PEOPLE], settings={"presence": presence})
        self.alice = Publisher(self.person("alice"), self.godwit.address)

    def person(self, name: str) -> ScriptedEndpoint:
        return ScriptedEndpoint(self.sandbox, f"{name}@{DOMAIN}", password=PASSWORD)

    def watcher(self, name: str, **options: str) -> Watcher:
        return Watcher(self.sandbox, self.person(name), self.godwit.address, ALICE, **options)

    def publish(self, *services: tuple[str, str], activity: str = "") -> None:
        status = self.alice.publish(document(ALICE, *services, activity=activity)).status
        self.sandbox.expect_equal(status, 200, "answer to alice's PUBLISH")

    def set_rules(self, **handling: str) -> None:
        self.godwit.command("presence", "rules", ALICE, "--set", "-", input=rules(**handling))

    def subscribe(self, watcher: Watcher, status: int = 200, **options) -> Received:
        response = watcher.subscribe(**options)
        self.sandbox.expect_equal(response.status, status, "answer to a SUBSCRIBE")
        return response

    def expect_state(self, notification: Received, state: str) -> None:
        actual = notification.first("subscription-state") or ""
        self.sandbox.expect(re.match(state, actual) is not None, f"Subscription-State: expected {state}, got {actual}")

    def expect_seen(self, notification: Received, **expected: str) -> None:
        self.expect_state(notification, "active;expires=")
        self.sandbox.expect_equal(notification.first("content-type"), PIDF, "Content-Type of a NOTIFY")
        self.sandbox.expect_equal(statuses(notification.body), expected, "what a watcher sees")


@scenario("presence-blocked-watcher")
def rules_block(sandbox: Sandbox) -> None:
    """Whom no rule lets in gets 403; whom new rules shut out is told so, and sees nothing any more (RFC 5025 3.2.1)."""
    stage = Stage(sandbox)
    stage.set_rules(bob="allow")
    stage.publish(("phone", "open"))
    stage.subscribe(stage.watcher("carol"), 403)
    bob = stage.watcher("bob")
    stage.subscribe(bob)
    stage.expect_seen(bob.next(), phone="open")
    stage.set_rules(carol="allow")
    stage.expect_state(bob.next(), "terminated;reason=rejected")
    carol = stage.watcher("carol")
    stage.subscribe(carol)
    stage.expect_seen(carol.next(), phone="open")
    stage.subscribe(stage.watcher("bob"), 403)


@scenario("presence-polite-block")
def rules_hide(sandbox: Sandbox) -> None:
    """A politely blocked watcher has an active subscription and sees her unavailable; what she does meanwhile does not show."""
    stage = Stage(sandbox)
    stage.set_rules(bob="polite-block", carol="allow")
    stage.publish(("phone", "open"), activity="meeting")
    bob, carol = stage.watcher("bob"), stage.watcher("carol")
    for watcher in (bob, carol):
        stage.subscribe(watcher)
    first = bob.next()
    stage.expect_state(first, "active;expires=")
    sandbox.expect_equal(set(statuses(first.body).values()), {"closed"}, "what a politely blocked watcher sees")
    sandbox.expect(b"meeting" not in first.body, "a politely blocked watcher sees the activity")
    stage.expect_seen(carol.next(), phone="open")
    stage.publish(("phone", "closed"), ("desk", "open"))
    stage.expect_seen(carol.next(), phone="closed", desk="open")
    # Anything that her change had sent to bob would come before this.
    stage.set_rules(bob="allow", carol="allow")
    stage.expect_seen(bob.next(), phone="closed", desk="open")


@scenario("presence-pending-watcher")
def rules_confirm(sandbox: Sandbox) -> None:
    """A watcher waits, its user hears of it (RFC 3857), decides, and both are told."""
    stage = Stage(sandbox, **{"unruled-watchers": "confirm"})
    stage.publish(("phone", "open"))
    owner = stage.watcher("alice", event="presence.winfo")
    stage.subscribe(owner)
    version, watchers = watcher_list(sandbox, owner.next(), "full")
    sandbox.expect_equal(watchers, {}, "watchers at first")

    bob = stage.watcher("bob")
    stage.subscribe(bob)
    first = bob.next()
    stage.expect_state(first, "pending;expires=")
    sandbox.expect_equal(first.body, b"", "body for a pending watcher")
    asked, watchers = watcher_list(sandbox, owner.next(), "partial")
    sandbox.expect_equal(watchers, {"sip:bob@example.com": ("pending", "subscribe")}, "watchers after bob's SUBSCRIBE")
    sandbox.expect_equal(asked, version + 1, "version of the watcher information")

    stage.set_rules(bob="allow")
    stage.expect_seen(bob.next(), phone="open")
    decided, watchers = watcher_list(sandbox, owner.next(), "partial")
    sandbox.expect_equal(watchers, {"sip:bob@example.com": ("active", "approved")}, "watchers after the rules")
    sandbox.expect_equal(decided, version + 2, "version of the watcher information")

    stage.subscribe(bob, expires=0)
    stage.expect_state(bob.next(), "terminated")
    _, watchers = watcher_list(sandbox, owner.next(), "partial")
    sandbox.expect_equal(
        {who: state for who, (state, _) in watchers.items()}, {"sip:bob@example.com": "terminated"}, "watchers at the end"
    )


def watcher_list(sandbox: Sandbox, notification: Received, state: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Version, and status and event of each watcher, in a document of RFC 3858."""
    sandbox.expect_equal(notification.first("content-type"), "application/watcherinfo+xml", "Content-Type of a NOTIFY")
    root = ElementTree.fromstring(notification.body)
    sandbox.expect_equal(root.get("state"), state, "state of the watcher information")
    watchers = {
        (watcher.text or "").strip(): (watcher.get("status", ""), watcher.get("event", ""))
        for watcher in root.iter(f"{WATCHERINFO}watcher")
    }
    return int(root.get("version", "-1")), watchers


@scenario("presence-partial")
def partial_notification(sandbox: Sandbox) -> None:
    """Full state, then differences with versions that count up (RFC 5263); who does not take them gets whole documents."""
    stage = Stage(sandbox)
    services = [(f"t{n}", "open") for n in range(1, 9)]
    stage.publish(*services)
    bob = stage.watcher("bob", accept=f"{PIDF_DIFF}, {PIDF};q=0.5")
    carol = stage.watcher("carol")
    for watcher in (bob, carol):
        stage.subscribe(watcher)
    full, whole = bob.next(), carol.next()
    stage.expect_seen(whole, **dict(services))
    root = partial(sandbox, full, "pidf-full")
    sandbox.expect_equal(statuses(full.body), dict(services), "what a full state has")
    version = int(root.get("version", "-1"))

    for step in range(1, 4):
        services[step] = (services[step][0], "closed")
        stage.publish(*services)
        difference, whole = bob.next(), carol.next()
        root = partial(sandbox, difference, "pidf-diff")
        sandbox.expect_equal(int(root.get("version", "-1")), version + step, "version of a difference")
        sandbox.expect_equal([child.text for child in root], ["closed"], "what a difference replaces")
        sandbox.expect(f"'{services[step][0]}'" in root[0].get("sel", "").replace('"', "'"), "a difference names its tuple")
        sandbox.expect(len(difference.body) <= 250, f"a difference of {len(difference.body)} bytes")
        stage.expect_seen(whole, **dict(services))

    # What was not answered counts for nothing: after a refresh the whole state comes again (RFC 5263 4.4).
    stage.subscribe(bob)
    again = partial(sandbox, bob.next(), "pidf-full")
    sandbox.expect(int(again.get("version", "-1")) > version + 3, "the version goes on")


def partial(sandbox: Sandbox, notification: Received, root: str) -> ElementTree.Element:
    sandbox.expect_equal(notification.first("content-type"), PIDF_DIFF, "Content-Type of a NOTIFY")
    element = ElementTree.fromstring(notification.body)
    sandbox.expect_equal(element.tag, "{urn:ietf:params:xml:ns:pidf-diff}" + root, "root of a partial notification")
    return element


@scenario("presence-filter")
def filtered(sandbox: Sandbox) -> None:
    """A filter of RFC 4661: only what it includes, and only when it changes."""
    wanted = (
        '<filter-set xmlns="urn:ietf:params:xml:ns:simple-filter"><ns-bindings>'
        '<ns-binding prefix="p" urn="urn:ietf:params:xml:ns:pidf"/></ns-bindings>'
        f'<filter id="1" uri="sip:{ALICE}"><what><include type="xpath">/p:presence/p:tuple/p:status/p:basic</include></what>'
        '<trigger><changed from="closed" to="open">/p:presence/p:tuple/p:status/p:basic</changed></trigger>'
        "</filter></filter-set>"
    )
    stage = Stage(sandbox)
    stage.publish(("phone", "closed"), activity="meeting")
    bob = stage.watcher("bob", filter=wanted)
    stage.subscribe(bob)
    first = bob.next()
    stage.expect_seen(first, phone="closed")
    sandbox.expect(b"meeting" not in first.body and b"contact" not in first.body, "more than the filter includes")
    # These are not what it waits for, and would come before the last.
    stage.publish(("phone", "closed"), activity="away")
    stage.publish(("phone", "closed"), ("desk", "closed"))
    stage.publish(("phone", "open"), ("desk", "closed"))
    stage.expect_seen(bob.next(), phone="open", desk="closed")


@scenario("presence-conditional")
def conditional_notification(sandbox: Sandbox) -> None:
    """An unchanged state costs a refresh no NOTIFY, and a fetch or a new subscription no body (RFC 5839)."""
    stage = Stage(sandbox)
    stage.publish(("phone", "open"))
    bob = stage.watcher("bob")
    stage.subscribe(bob)
    first = bob.next()
    tag = first.first("sip-etag")
    sandbox.expect(bool(tag), "a NOTIFY without SIP-ETag")
    stage.subscribe(bob, 204, headers=[f"Suppress-If-Match: {tag}"])
    # What the 204 had left out would come before this.
    stage.publish(("phone", "closed"))
    second = bob.next()
    stage.expect_seen(second, phone="closed")
    sandbox.expect(second.first("sip-etag") not in (None, tag), "another state has another SIP-ETag")
    stage.subscribe(bob, 200, headers=[f"Suppress-If-Match: {tag}"])
    stage.expect_seen(bob.next(), phone="closed")
    # The tag is the state's: a new subscription, or a fetch, that names it gets the NOTIFY without a body.
    for expires, state in ((3600, "active;expires="), (0, "terminated;reason=timeout")):
        other = stage.watcher("bob")
        stage.subscribe(other, expires=expires, headers=[f"Suppress-If-Match: {second.first('sip-etag')}"])
        notification = other.next()
        stage.expect_state(notification, state)
        sandbox.expect_equal(notification.body, b"", "body of a NOTIFY whose state is known")
        sandbox.expect_equal(notification.first("sip-etag"), second.first("sip-etag"), "SIP-ETag of the same state")


@scenario("presence-rate")
def rate_control(sandbox: Sandbox) -> None:
    """Between two notifications only the newest state lives (RFC 6446); who sets no rate sees every change."""
    stage = Stage(sandbox)
    stage.publish(("phone", "open"))
    bob, carol = stage.watcher("bob", event="presence;max-rate=0.5"), stage.watcher("carol")
    began = sandbox.now()
    for watcher in (bob, carol):
        stage.subscribe(watcher)
        stage.expect_seen(watcher.next(), phone="open")
    changes = [{"phone": basic, "desk": desk} for basic in ("open", "closed") for desk in ("open", "closed")]
    for change in changes:
        stage.publish(*change.items())
        stage.expect_seen(carol.next(), **change)
    told = 1
    while statuses(bob.next().body) != changes[-1]:
        told += 1
    sandbox.expect(2 * told <= sandbox.now() - began, f"{told} notifications in {sandbox.now() - began} s")


@scenario("presence-publications")
def publications(sandbox: Sandbox) -> None:
    """Two devices and a source in the network: made, refreshed, changed by difference, removed (RFC 3903, RFC 5264)."""
    source = f"dave@{DOMAIN}"
    stage = Stage(sandbox, publishers=[source])
    desk = Publisher(stage.person("alice"), stage.godwit.address)
    network = Publisher(stage.person("dave"), stage.godwit.address, of=ALICE)
    bob = stage.watcher("bob")
    stage.subscribe(bob)
    stage.expect_seen(bob.next())
    stage.publish(("phone", "open"))
    stage.expect_seen(bob.next(), phone="open")
    for publisher, name in ((desk, "desk"), (network, "cell")):
        sandbox.expect_equal(publisher.publish(document(ALICE, (name, "open"))).status, 200, f"PUBLISH of {name}")
    seen = {"phone": "open", "desk": "open", "cell": "open"}
    bob.next_where(lambda notification: statuses(notification.body) == seen, "three tuples")

    # A refresh changes the tag and tells nobody; the old tag is worth nothing then.
    before = desk.entity_tag
    sandbox.expect_equal(desk.publish().status, 200, "answer to a refresh")
    sandbox.expect(desk.entity_tag not in ("", before), "a refresh brings another entity-tag")
    now, desk.entity_tag = desk.entity_tag, before
    sandbox.expect_equal(desk.publish(document(ALICE, ("desk", "closed"))).status, 412, "answer to an old entity-tag")
    desk.entity_tag = now

    difference = (
        '<p:pidf-diff xmlns="urn:ietf:params:xml:ns:pidf" xmlns:p="urn:ietf:params:xml:ns:pidf-diff" '
        f'entity="sip:{ALICE}"><p:replace sel="{{selector}}">closed</p:replace></p:pidf-diff>'
    )
    refused = desk.publish(difference.format(selector="presence/tuple[@id='cell']/status/basic/text()"), content_type=PIDF_DIFF)
    sandbox.expect_equal(refused.status, 400, "answer to a difference that does not apply")
    sandbox.expect_equal(refused.first("content-type"), "application/patch-ops-error+xml", "Content-Type of the refusal")
    sandbox.expect(b"<unlocated-node" in refused.body, "a document that says what does not apply")
    applied = desk.publish(difference.format(selector="presence/tuple[@id='desk']/status/basic/text()"), content_type=PIDF_DIFF)
    sandbox.expect_equal(applied.status, 200, "answer to a difference")
    seen["desk"] = "closed"
    stage.expect_seen(bob.next(), **seen)

    # Nobody but her and the sources named may.
    stranger = Publisher(stage.person("carol"), stage.godwit.address, of=ALICE)
    sandbox.expect_equal(stranger.publish(document(ALICE, ("carol", "open"))).status, 403, "answer to a foreign publisher")
    for publisher, name in ((desk, "desk"), (network, "cell"), (stage.alice, "phone")):
        sandbox.expect_equal(publisher.publish(expires=0).status, 200, f"answer to the removal of {name}")
        del seen[name]
        stage.expect_seen(bob.next(), **seen)


@scenario("presence-dialog")
def dialogs(sandbox: Sandbox) -> None:
    """What a watcher may not do in its dialog, and what its answers to NOTIFY mean (RFC 6665 4.2)."""
    stage = Stage(sandbox)
    stage.publish(("phone", "open"))
    bob, carol = stage.watcher("bob"), stage.watcher("carol")
    for watcher in (bob, carol):
        stage.subscribe(watcher)
        stage.expect_seen(watcher.next(), phone="open")
    # A CSeq from before the last request's is out of order (RFC 3261 12.2.2).
    stage.subscribe(bob, 500, sequence=1)

    # Busy for a second: then the newest state comes, whole, as another request.
    stage.publish(("phone", "closed"))
    bob.next(answer=(503, "Service Unavailable"), headers=["Retry-After: 1"])
    stage.expect_seen(bob.next(), phone="closed")

    # A watcher that knows nothing of it is told nothing more.
    stage.expect_seen(carol.next(answer=(481, "Subscription Does Not Exist")), phone="closed")
    stage.publish(("phone", "open"))
    stage.expect_seen(bob.next(), phone="open")
    stage.subscribe(carol, 481)


@scenario("presence-server-killed")
def server_killed(sandbox: Sandbox) -> None:
    """After SIGKILL, subscriptions go on: the state again, with a higher CSeq; the publication's entity-tag holds."""
    stage = Stage(sandbox)
    stage.set_rules(bob="allow", carol="allow", dave="confirm")
    stage.publish(("phone", "open"))
    bob, carol = stage.watcher("bob"), stage.watcher("carol", accept=f"{PIDF_DIFF}, {PIDF};q=0.5")
    dave = stage.watcher("dave")
    for watcher in (bob, carol, dave):
        stage.subscribe(watcher)
        watcher.next()
    for state in ("closed", "open"):
        stage.publish(("phone", state))
        stage.expect_seen(bob.next(), phone=state)
        carol.next()
    for step in range(1, 3):
        stage.godwit.kill()
        stage.godwit.start()
        # Watcher checks dialog and CSeq of each.
        stage.expect_seen(bob.next(), phone="open", **({"desk": "open"} if step > 1 else {}))
        partial(sandbox, carol.next(), "pidf-full")
        stage.publish(("phone", "open"), ("desk", "open"), ("step", "open" if step == 1 else "closed"))
        expected = {"phone": "open", "desk": "open", "step": "open" if step == 1 else "closed"}
        stage.expect_seen(bob.next_where(lambda seen: statuses(seen.body) == expected, "the change after the kill"), **expected)
        carol.next()
        stage.publish(("phone", "open"), ("desk", "open"))
        stage.expect_seen(bob.next(), phone="open", desk="open")
        carol.next()
    stage.subscribe(bob)
    stage.expect_seen(bob.next(), phone="open", desk="open")
    # Dave still waits for her decision.
    stage.set_rules(bob="allow", carol="allow", dave="allow")
    stage.expect_seen(
        dave.next_where(lambda seen: bool(seen.body), "the decision"), phone="open", desk="open"
    )
    stage.subscribe(bob, expires=0)
    stage.expect_state(bob.next(), "terminated;reason=timeout")
