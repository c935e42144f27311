"""A UDP endpoint of our own: sends exactly the bytes a scenario asks for and shows exactly what comes back."""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
from collections import deque
from dataclasses import dataclass, field

from sandbox import Sandbox


@dataclass
class Received:
    """A SIP message as it arrived: `start` line, header fields with lower-case names in order, body."""

    start: str
    headers: list[tuple[str, str]]
    body: bytes
    source: tuple[str, int]
    raw: bytes = field(repr=False)

    @property
    def status(self) -> int | None:
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0 ") else None

    @property
    def method(self) -> str | None:
        return None if self.status is not None else self.start.split(" ")[0]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def first(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    @property
    def branch(self) -> str | None:
        match = re.search(r"branch=([^;,\s]+)", self.first("via") or "")
        return match.group(1) if match else None


COMPACT = {"v": "via", "f": "from", "o": "event", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type"}


def parse(datagram: bytes, source: tuple[str, int]) -> Received:
    head, _, body = datagram.partition(b"\r\n\r\n")
    start, *lines = head.decode("utf-8", "replace").split("\r\n")
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.append((COMPACT.get(name, name), value.strip()))
    return Received(start, headers, body, source, datagram)


class ScriptedEndpoint:
    """One user (`alice@example.com`) at a UDP port; sequence numbers and Call-IDs are its own."""

    def __init__(self, sandbox: Sandbox, identity: str, *, password: str = "") -> None:
        self.sandbox = sandbox
        self.identity = identity
        self.user, _, self.domain = identity.partition("@")
        self.password = password
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        sandbox.on_close(self.close)
        self._sequence = 0
        # What came while a final response was waited for.
        self._waiting: deque[Received] = deque()
        self._register_call = secrets.token_hex(8)

    def __enter__(self) -> ScriptedEndpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def request(
        self,
        method: str,
        uri: str,
        to: str,
        *,
        headers: list[str] | None = None,
        body: str | bytes = b"",
        call_id: str | None = None,
        sequence: int | None = None,
        tags: tuple[str, str] | None = None,
        content_type: str = "text/plain;charset=UTF-8",
    ) -> str:
        """The text of a well-formed request with a fresh branch, without a body it has no Content-Type.

        `tags` are those of From and To in a dialog.
        """
        self._sequence += 1
        octets = body.encode() if isinstance(body, str) else body
        local, remote = tags or (secrets.token_hex(4), "")
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport",
            "Max-Forwards: 70",
            f"From: <sip:{self.identity}>;tag={local}",
            f"To: <{to}>" + (f";tag={remote}" if remote else ""),
            f"Call-ID: {call_id or secrets.token_hex(8)}",
            f"CSeq: {sequence or self._sequence} {method}",
            *(headers or []),
            *([f"Content-Type: {content_type}"] if octets else []),
            f"Content-Length: {len(octets)}",
        ]
        return "\r\n".join(lines) + "\r\n\r\n" + octets.decode()

    def send(self, text: str | bytes, server: str) -> None:
        host, _, port = server.rpartition(":")
        self._socket.sendto(text.encode() if isinstance(text, str) else text, (host, int(port)))

    def receive(self, timeout: float | None = None) -> Received | None:
        """The next SIP message, or None after `timeout` seconds. Keep-alives are passed over."""
        return self._waiting.popleft() if self._waiting else self._receive_datagram(timeout)

    def _receive_datagram(self, timeout: float | None) -> Received | None:
        limit = self.sandbox.limit(timeout)
        while (remaining := limit - self.sandbox.now()) > 0:
            self._socket.settimeout(remaining)
            try:
                datagram, source = self._socket.recvfrom(65536)
            except (TimeoutError, ConnectionRefusedError):
                return None
            if datagram.strip(b"\r\n\0"):
                return parse(datagram, source)
        return None

    def answer(
        self, request: Received, status: int = 200, reason: str = "OK", *, headers: list[str] | None = None
    ) -> None:
        lines = [f"SIP/2.0 {status} {reason}"]
        for name, label in (("via", "Via"), ("from", "From"), ("to", "To"), ("call-id", "Call-ID"), ("cseq", "CSeq")):
            for value in request.all(name):
                tag = f";tag={secrets.token_hex(4)}" if name == "to" and ";tag=" not in value else ""
                lines.append(f"{label}: {value}{tag}")
        lines += [*(headers or []), "Content-Length: 0"]
        self._socket.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), request.source)

    def final_response(self, text: str, server: str, timeout: float = 20) -> Received:
        """Sends a request as RFC 3261 17.1.2 does, with retransmissions, until its final response is there."""
        limit = self.sandbox.limit(timeout)
        branch = parse(text.encode(), ("", 0)).branch
        interval = 0.5
        while self.sandbox.now() < limit:
            self.send(text, server)
            resend = self.sandbox.now() + interval
            interval = min(interval * 2, 4)
            while (remaining := min(resend, limit) - self.sandbox.now()) > 0:
                message = self._receive_datagram(timeout=remaining)
                if message and message.status and message.status >= 200 and message.branch == branch:
                    return message
                if message and message.method:
                    self._waiting.append(message)
        self.sandbox.fail(f"{self.identity}: no final response to {text.splitlines()[0]!r}")

    def authenticated(self, build, server: str, algorithm: str = "SHA-256") -> Received:
        """Sends `build(extra_headers)`; answers one 401 or 407 challenge for `algorithm`."""
        response = self.final_response(build([]), server)
        if response.status not in (401, 407):
            return response
        name = "www-authenticate" if response.status == 401 else "proxy-authenticate"
        for challenge in response.all(name):
            words = dict(re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', challenge))
            words = {key.lower(): value.strip('"') for key, value in words.items()}
            if words.get("algorithm", "MD5").upper() == algorithm.upper():
                break
        else:
            self.sandbox.fail(f"no {algorithm} challenge in {response.all(name)}")
        text = build([])
        method, uri, _ = text.split("\r\n")[0].split(" ")
        digest = hashlib.sha256 if algorithm.upper() == "SHA-256" else hashlib.md5

        def hashed(value: str) -> str:
            return digest(value.encode()).hexdigest()

        a1 = hashed(f"{self.user}:{words['realm']}:{self.password}")
        a2 = hashed(f"{method}:{uri}")
        fields = {"username": self.user, "realm": words["realm"], "nonce": words["nonce"], "uri": uri}
        if "qop" in words:
            cnonce = secrets.token_hex(8)
            fields["response"] = hashed(f"{a1}:{words['nonce']}:00000001:{cnonce}:auth:{a2}")
        else:
            fields["response"] = hashed(f"{a1}:{words['nonce']}:{a2}")
        credentials = "Digest " + ", ".join(f'{key}="{value}"' for key, value in fields.items())
        credentials += f", algorithm={words.get('algorithm', 'MD5')}"
        if "qop" in words:
            credentials += f', qop=auth, nc=00000001, cnonce="{cnonce}"'
        if "opaque" in words:
            credentials += f', opaque="{words["opaque"]}"'
        header = "Authorization" if response.status == 401 else "Proxy-Authorization"
        return self.final_response(build([f"{header}: {credentials}"]), server)

    def register(self, server: str, *, expires: int = 3600, algorithm: str = "SHA-256") -> Received:
        def build(extra: list[str]) -> str:
            return self.request(
                "REGISTER",
                f"sip:{self.domain}",
                f"sip:{self.identity}",
                headers=[f"Contact: <sip:{self.user}@127.0.0.1:{self.port}>;expires={expires}", *extra],
                call_id=self._register_call,
            )

        response = self.authenticated(build, server, algorithm)
        self.sandbox.expect_equal(response.status, 200, f"REGISTER of {self.identity}")
        return response

    def message(self, server: str, to: str, body: str, *, headers: list[str] | None = None, algorithm: str = "SHA-256"):
        """Sends a MESSAGE; returns its final response."""
        call = secrets.token_hex(8)

        def build(extra: list[str]) -> str:
            return self.request("MESSAGE", f"sip:{to}", f"sip:{to}", headers=[*(headers or []), *extra], body=body, call_id=call)

        return self.authenticated(build, server, algorithm)

    def take_messages(self, count: int, *, timeout: float = 20) -> list[Received]:
        """Waits for `count` different MESSAGE requests, answering each with 200 (and its retransmissions again)."""
        limit = self.sandbox.limit(timeout)
        messages: list[Received] = []
        branches: set[str | None] = set()
        while len(messages) < count:
            remaining = limit - self.sandbox.now()
            request = self.receive(timeout=remaining) if remaining > 0 else None
            if request is None:
                self.sandbox.fail(f"{self.identity} got {len(messages)} of {count} messages")
            if request.method is None:
                continue
            self.answer(request)
            if request.method == "MESSAGE" and request.branch not in branches:
                branches.add(request.branch)
                messages.append(request)
        return messages

    def expect_quiet(self, seconds: float) -> None:
        """Fails if a request arrives within `seconds`: the one wait here that must last, for an absence."""
        limit = self.sandbox.now() + seconds
        while (remaining := limit - self.sandbox.now()) > 0:
            request = self.receive(timeout=remaining)
            if request and request.method:
                self.sandbox.fail(f"{self.identity} got an unexpected {request.start!r}: {request.body[:80]!r}")
