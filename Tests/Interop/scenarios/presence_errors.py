"""sipp sends what a presence server has to refuse; each answer has to say what the RFC wants it to say."""

from __future__ import annotations

import re
from dataclasses import dataclass

from peers.godwit import PASSWORD, Godwit
from peers.presence import PIDF, document
from peers.sipp import Sipp
from sandbox import Sandbox
from scenarios import scenario

ALICE, BOB = "alice@example.com", "bob@example.com"
OPEN = document(ALICE, ("t1", "open")).replace("\r\n", "\n")
FILTER = "application/simple-filter+xml"


@dataclass(frozen=True)
class Refusal:
    """A request of `caller` about alice, the status of its answer, and a header field that must be in it."""

    method: str
    status: int
    headers: str
    body: str = ""
    content_type: str = PIDF
    has: str = ""
    caller: str = "alice"
    to_tag: str = ""
    # Refused before anybody has to prove anything.
    at_once: bool = False

    def text(self, sequence: int, credentials: str = "") -> str:
        lines = [
            # In a dialog, requests go to the server's own contact.
            f"{self.method} sip:{'[remote_ip]:[remote_port]' if self.to_tag else ALICE} SIP/2.0",
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
            "Max-Forwards: 70",
            f"From: <sip:{self.caller}@example.com>;tag=[pid]p[call_number]",
            f"To: <sip:{ALICE}>" + (f";tag={self.to_tag}" if self.to_tag else ""),
            "Call-ID: [call_id]",
            f"CSeq: {sequence} {self.method}",
            f"Contact: <sip:{self.caller}@[local_ip]:[local_port]>",
            *self.headers.splitlines(),
            *([credentials] if credentials else []),
            *([f"Content-Type: {self.content_type}"] if self.body else []),
            "Content-Length: [len]",
        ]
        return "\n".join(lines) + "\n\n" + self.body


REFUSALS = {
    # RFC 3903 section 6, in the order of its steps.
    "489-publish": Refusal("PUBLISH", 489, "Event: nonsense", OPEN, has=r"Allow-Events:.*\bpresence\b", at_once=True),
    "489-publish-without-event": Refusal("PUBLISH", 489, "", OPEN, has=r"Allow-Events:.*\bpresence\b", at_once=True),
    "403-foreign-publisher": Refusal("PUBLISH", 403, "Event: presence", OPEN, caller="bob"),
    "412-unknown-tag": Refusal("PUBLISH", 412, "Event: presence\nSIP-If-Match: dx200xyz"),
    "412-unknown-tag-with-body": Refusal("PUBLISH", 412, "Event: presence\nSIP-If-Match: dx200xyz", OPEN),
    "400-nothing-to-publish": Refusal("PUBLISH", 400, "Event: presence"),
    "400-two-tags": Refusal("PUBLISH", 400, "Event: presence\nSIP-If-Match: dx200xyz, dx201xyz", OPEN),
    "423-publish": Refusal("PUBLISH", 423, "Event: presence\nExpires: 5", OPEN, has=r"Min-Expires: 60\b"),
    "415-publish": Refusal("PUBLISH", 415, "Event: presence", "hello", "text/plain", has=rf"Accept:.*{re.escape(PIDF)}"),
    "400-broken-document": Refusal("PUBLISH", 400, "Event: presence", "<presence"),
    "400-other-document": Refusal("PUBLISH", 400, "Event: presence", "<list/>"),
    "400-document-with-a-dtd": Refusal(
        "PUBLISH", 400, "Event: presence", OPEN.replace("<presence", '<!DOCTYPE presence SYSTEM "p.dtd"><presence')
    ),
    # RFC 6665, 3856 and 4660.
    "489-subscribe": Refusal("SUBSCRIBE", 489, "Event: nonsense", has=r"Allow-Events:.*\bpresence\b", at_once=True),
    "489-subscribe-without-event": Refusal("SUBSCRIBE", 489, "", has=r"Allow-Events:.*\bpresence\b", at_once=True),
    "420-subscribe": Refusal(
        "SUBSCRIBE", 420, "Event: presence\nRequire: nonsense", has=r"Unsupported: nonsense", at_once=True
    ),
    "423-subscribe": Refusal("SUBSCRIBE", 423, "Event: presence\nExpires: 5", has=r"Min-Expires: 60\b"),
    "406-subscribe": Refusal("SUBSCRIBE", 406, "Event: presence\nAccept: text/plain"),
    "415-filter": Refusal("SUBSCRIBE", 415, "Event: presence", "hello", "text/plain", has=rf"Accept:.*{re.escape(FILTER)}"),
    "488-broken-filter": Refusal("SUBSCRIBE", 488, "Event: presence", "<filter-set", FILTER),
    "488-filter-with-a-wrong-expression": Refusal(
        "SUBSCRIBE", 488, "Event: presence",
        '<filter-set xmlns="urn:ietf:params:xml:ns:simple-filter"><filter id="1"><what><include>//tuple(</include></what>'
        "</filter></filter-set>", FILTER,
    ),
    "403-winfo": Refusal("SUBSCRIBE", 403, "Event: presence.winfo", caller="bob"),
    "403-reg": Refusal("SUBSCRIBE", 403, "Event: reg", caller="bob"),
    "481-subscribe": Refusal("SUBSCRIBE", 481, "Event: presence\nExpires: 600", to_tag="0123456789abcdef", at_once=True),
    "481-notify": Refusal(
        "NOTIFY", 481, "Event: presence\nSubscription-State: active", OPEN, to_tag="0123456789abcdef", at_once=True
    ),
}  # fmt: skip


@scenario("presence-errors", seconds=120)
def errors_are_answered(sandbox: Sandbox) -> None:
    godwit = Godwit(sandbox, [ALICE, BOB], algorithms=["MD5"])
    wrong = []
    for name, refusal in REFUSALS.items():
        agent = Sipp(sandbox, name, user=refusal.caller, domain="example.com")
        status = str(refusal.status)
        if refusal.at_once:
            messages = agent.call("one-request", godwit.port, request=refusal.text(1), status=status)
        else:
            messages = agent.call(
                "authenticated-request", godwit.port, password=PASSWORD, callee="alice", status=status,
                first=refusal.text(1), second=refusal.text(2, "[authentication]"),
            )  # fmt: skip
        answer = next(text for text in reversed(messages) if text.startswith(f"SIP/2.0 {status}"))
        if refusal.has and not re.search(f"^{refusal.has}", answer, re.MULTILINE):
            wrong.append(f"{name}: no {refusal.has} in\n{answer}")
    sandbox.expect(not wrong, "\n".join(wrong))
    # None of it left anything behind.
    for what in ("show", "watchers"):
        sandbox.expect_equal(godwit.command("presence", what, "--json"), [], f"godwit presence {what}")
    godwit.expect_alive()
