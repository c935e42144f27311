"""Publishers and watchers of our own, for what no stock client does: conditions, filters, partial notification, watcher information."""

from __future__ import annotations

import re
import secrets
import xml.etree.ElementTree as ElementTree

from sandbox import Sandbox

from .scripted import Received, ScriptedEndpoint

PIDF = "application/pidf+xml"
PIDF_DIFF = "application/pidf-diff+xml"
PIDF_NAMESPACE = "{urn:ietf:params:xml:ns:pidf}"


def document(user: str, *tuples: tuple[str, str], activity: str = "") -> str:
    """A presence document with tuples of id and basic status, and a person with one activity of RFC 4480."""
    services = "".join(
        f'<tuple id="{name}"><status><basic>{basic}</basic></status><contact>sip:{user}</contact></tuple>'
        for name, basic in tuples
    )
    person = f'<dm:person id="p"><r:activities><r:{activity}/></r:activities></dm:person>' if activity else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n<presence xmlns="urn:ietf:params:xml:ns:pidf" '
        'xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" '
        f'entity="sip:{user}">{services}{person}</presence>\r\n'
    )


def statuses(body: bytes) -> dict[str, str]:
    """The basic status of every tuple in a PIDF document, by id."""
    root = ElementTree.fromstring(body)
    return {
        service.get("id", ""): service.findtext(f"{PIDF_NAMESPACE}status/{PIDF_NAMESPACE}basic", "")
        for service in root.iter(f"{PIDF_NAMESPACE}tuple")
    }


class Publisher:
    """One publication of one user (RFC 3903); its entity-tag is kept."""

    def __init__(self, endpoint: ScriptedEndpoint, server: str, *, of: str = "") -> None:
        self._endpoint = endpoint
        self._server = server
        self._user = of or endpoint.identity
        self.entity_tag = ""

    def publish(self, body: str = "", *, expires: int = 3600, content_type: str = PIDF) -> Received:
        """Makes, changes, or without a body refreshes or removes it; returns the final response."""
        call = secrets.token_hex(8)

        def build(extra: list[str]) -> str:
            condition = [f"SIP-If-Match: {self.entity_tag}"] if self.entity_tag else []
            uri = f"sip:{self._user}"
            return self._endpoint.request(
                "PUBLISH", uri, uri, headers=["Event: presence", f"Expires: {expires}", *condition, *extra],
                body=body, call_id=call, content_type=content_type,
            )  # fmt: skip

        response = self._endpoint.authenticated(build, self._server)
        if response.status == 200:
            self.entity_tag = response.first("sip-etag") or ""
        return response


class Watcher:
    """One subscription (RFC 6665). Every NOTIFY must be of its dialog, with a CSeq above those before."""

    def __init__(
        self,
        sandbox: Sandbox,
        endpoint: ScriptedEndpoint,
        server: str,
        of: str,
        *,
        event: str = "presence",
        accept: str = "",
        filter: str = "",
    ) -> None:
        self.sandbox = sandbox
        self._endpoint = endpoint
        self._server = server
        self._of = of
        self._event = event
        self._accept = accept
        self._filter = filter
        self._call = secrets.token_hex(8)
        self._tags = (secrets.token_hex(4), "")
        self._target = f"sip:{of}"
        self._last_sequence = 0
        self._branches: set[str | None] = set()

    def subscribe(
        self, *, expires: int = 3600, headers: list[str] | None = None, sequence: int | None = None
    ) -> Received:
        """Subscribes, or renews what there is; returns the final response."""

        def build(extra: list[str]) -> str:
            accept = [f"Accept: {self._accept}"] if self._accept else []
            contact = f"Contact: <sip:{self._endpoint.user}@127.0.0.1:{self._endpoint.port}>"
            return self._endpoint.request(
                "SUBSCRIBE", self._target, f"sip:{self._of}",
                headers=[f"Event: {self._event}", f"Expires: {expires}", contact, *accept, *(headers or []), *extra],
                body=self._filter, call_id=self._call, tags=self._tags, sequence=sequence, content_type="application/simple-filter+xml",
            )  # fmt: skip

        response = self._endpoint.authenticated(build, self._server)
        if response.status in (200, 202, 204) and not self._tags[1]:
            tag = re.search(r";tag=([^;\s]+)", response.first("to") or "")
            target = re.search(r"<([^>]+)>", response.first("contact") or "")
            self.sandbox.expect(tag is not None and target is not None, f"no dialog in {response.raw!r}")
            self._tags = (self._tags[0], tag.group(1))
            self._target = target.group(1)
        return response

    def next(self, *, timeout: float = 20, answer: tuple[int, str] = (200, "OK"), headers: list[str] | None = None) -> Received:
        """The next NOTIFY, answered so; one that was seen before is answered again and passed over."""
        limit = self.sandbox.limit(timeout)
        while (remaining := limit - self.sandbox.now()) > 0:
            request = self._endpoint.receive(timeout=remaining)
            if request is None or request.method is None:
                continue
            self.sandbox.expect_equal(request.method, "NOTIFY", f"request at {self._endpoint.identity}")
            self._endpoint.answer(request, *answer, headers=headers)
            if request.branch in self._branches:
                continue
            self._branches.add(request.branch)
            self._check(request)
            return request
        self.sandbox.fail(f"{self._endpoint.identity} was not notified of {self._of}")

    def _check(self, request: Received) -> None:
        self.sandbox.expect_equal(request.first("call-id"), self._call, "Call-ID of a NOTIFY")
        self.sandbox.expect(f"tag={self._tags[0]}" in (request.first("to") or ""), "a NOTIFY has another To tag")
        if self._tags[1]:
            self.sandbox.expect(f"tag={self._tags[1]}" in (request.first("from") or ""), "a NOTIFY has another From tag")
        package = [(value or "").partition(";")[0] for value in (request.first("event"), self._event)]
        self.sandbox.expect_equal(package[0], package[1], "Event of a NOTIFY")
        sequence = int((request.first("cseq") or "0").split()[0])
        self.sandbox.expect(sequence > self._last_sequence, f"CSeq {sequence} after {self._last_sequence}")
        self._last_sequence = sequence

    def next_where(self, condition, what: str, *, timeout: float = 20) -> Received:
        """The first NOTIFY from now on that meets the condition; those before are answered and passed over."""
        limit = self.sandbox.limit(timeout)
        while (remaining := limit - self.sandbox.now()) > 0:
            request = self.next(timeout=remaining)
            if condition(request):
                return request
        self.sandbox.fail(f"{self._endpoint.identity} was not notified of {self._of}: {what}")
