"""What Godwit writes into NOTIFY is valid by the schemas that the RFCs print; xmllint says so."""

from __future__ import annotations

from peers.presence import PIDF, PIDF_DIFF
from peers.scripted import Received
from peers.xmllint import SCHEMAS, SchemaCheck
from sandbox import Sandbox
from scenarios import scenario
from scenarios.presence_watching import ALICE, Stage

EXAMPLES = SCHEMAS.parent
# Examples of the RFCs that are valid themselves, one with a correction.
PUBLISHED = (
    "3863-1-presence-xml-namespaces-in-presence-information.xml",
    "3863-3-presence-status-value-extensibility.xml",
    "3863-4-presence-default-namespace-with-status-extensions.xml",
    "3863-5-presence-presence-with-other-extension-elements.xml",
    "3863-6-presence-example-mandatory-to-understand-elements.xml",
    "4480-1-presence-example.xml",
    "4482-1-presence-example.xml",
    "4660-6-presence-subscriber-fetches-information-about-open-communica.xml",
    "5196-1-presence-examples.xml",
)
# Printed with a sphere in words, which the schema of RFC 4480 does not have.
CORRECTIONS = {"<rpid:sphere>bowling league</rpid:sphere>": "<rpid:sphere><rpid:home/></rpid:sphere>"}
FILTER = (
    '<filter-set xmlns="urn:ietf:params:xml:ns:simple-filter"><ns-bindings>'
    '<ns-binding prefix="p" urn="urn:ietf:params:xml:ns:pidf"/></ns-bindings>'
    f'<filter id="1" uri="sip:{ALICE}"><what><include type="xpath">/p:presence/p:tuple/p:status/p:basic</include></what>'
    "</filter></filter-set>"
)


@scenario("presence-documents", seconds=120)
def documents_are_valid(sandbox: Sandbox) -> None:
    """PIDF, full and differential partial states, watcher and registration information, politely blocked, with filters."""
    check = SchemaCheck(sandbox)
    check.expect_invalid("no-entity", b'<presence xmlns="urn:ietf:params:xml:ns:pidf"/>')
    stage = Stage(sandbox, **{"unruled-watchers": "polite-block"})
    stage.set_rules(bob="allow", carol="allow", dave="polite-block")
    watchers = {
        "plain": stage.watcher("bob"),
        "partial": stage.watcher("carol", accept=f"{PIDF_DIFF}, {PIDF};q=0.1"),
        "hidden": stage.watcher("dave"),
        "winfo": stage.watcher("alice", event="presence.winfo"),
        "reg": stage.watcher("alice", event="reg"),
    }
    bodies = 0

    def take(name: str, step: str) -> Received:
        nonlocal bodies
        notification = watchers[name].next()
        if notification.body:
            bodies += 1
            check.expect_valid(f"{name}-{step}", notification.body)
        return notification

    # Else registration would show to all.
    stage.publish(("phone", "closed"))
    for name, watcher in watchers.items():
        stage.subscribe(watcher)
        take(name, "at-first")
    # A device registers and leaves.
    device = stage.person("alice")
    for expires in (600, 0):
        device.register(stage.godwit.address, expires=expires)
        take("reg", f"expires-{expires}")
    # Somebody comes, and goes.
    newcomer = stage.watcher("bob")
    for expires in (600, 0):
        stage.subscribe(newcomer, expires=expires)
        newcomer.next()
        take("winfo", f"expires-{expires}")
    for number, name in enumerate(PUBLISHED):
        example = (EXAMPLES / name).read_text()
        for wrong, right in CORRECTIONS.items():
            example = example.replace(wrong, right)
        sandbox.expect_equal(stage.alice.publish(example).status, 200, f"answer to a PUBLISH of {name}")
        for step in ("plain", "partial"):
            take(step, f"{number}-{name}")
        watchers["filtered"] = stage.watcher("bob", filter=FILTER)
        stage.subscribe(watchers["filtered"], expires=0)
        take("filtered", f"{number}-{name}")
    sandbox.expect(bodies >= 3 * len(PUBLISHED) + 8, f"only {bodies} documents were validated")
