"""baresip 1.0: a second stock client with other habits, driven through its ctrl_tcp module (JSON in netstrings)."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

from sandbox import Authority, Sandbox

# It gives up on a response with any challenge but MD5 in it, even where MD5 is offered as well (RFC 8760 2.4 says otherwise).
ALGORITHMS = ["MD5"]

CONFIGURATION = """\
sip_listen              127.0.0.1:{sip_port}
{trust}
net_interface           127.0.0.1
module_path             {modules}
module                  stdio.so
module_tmp              account.so
module_app              contact.so
module_app              ctrl_tcp.so
module_app              menu.so
{presence}
ctrl_tcp_listen         127.0.0.1:{control_port}
"""


class Baresip:
    """One user, who writes to one `correspondent`: baresip sends messages to its current contact only.

    With `publishing`, the life of its publication in seconds, it publishes (RFC 3903) and watches its correspondent.
    At its start it may publish twice, and forgets the first one, which then ends only with its life.
    """

    kind = "baresip"

    def __init__(
        self,
        sandbox: Sandbox,
        identity: str,
        password: str,
        *,
        server: str,
        correspondent: str,
        transport: str = "udp",
        authority: Authority | None = None,
        publishing: int = 0,
    ) -> None:
        self.sandbox = sandbox
        self.identity = identity
        self.correspondent = correspondent
        self._home = sandbox.subdirectory(f"baresip-{identity}")
        self._authority = authority
        self._publishing = publishing
        self._starts = 0
        self._earlier: list[str] = []
        user, _, domain = identity.partition("@")
        (self._home / "accounts").write_text(
            f"<sip:{user}@{domain};transport={transport}>;auth_pass={password};regint=600;"
            f'outbound="sip:{server};transport={transport}"'
            + (f";pubint={publishing}" if publishing else "") + "\n"
        )
        watched = ";presence=p2p" if publishing else ""
        (self._home / "contacts").write_text(f'"Correspondent" <sip:{correspondent}>{watched}\n')
        self.start()

    def start(self) -> None:
        """Starts the client and registers."""
        self._starts += 1
        modules = next((path for path in Path("/usr/lib").glob("**/baresip/modules") if path.is_dir()), None)
        if modules is None:
            self.sandbox.fail("baresip-core is not installed: run tools/setup")
        control_port = self.sandbox.free_port()
        (self._home / "config").write_text(
            CONFIGURATION.format(
                sip_port=self.sandbox.free_port(),
                control_port=control_port,
                modules=modules,
                trust=f"sip_cafile {self._authority.certificate}" if self._authority else "",
                presence="module_app presence.so" if self._publishing else "",
            )
        )
        self.program = self.sandbox.start(
            f"baresip-{self.identity}-{self._starts}",
            ["stdbuf", "-oL", "baresip", "-f", str(self._home), "-s"],
            environment={"HOME": str(self._home)},
            directory=self._home,
        )
        self.program.wait_line("baresip is ready", timeout=20)
        self._control = socket.create_connection(("127.0.0.1", control_port))
        self.sandbox.on_close(self._control.close)
        self._buffer = b""
        self.wait_registered()

    def command(self, name: str, parameters: str = "") -> str:
        """One command; its answer, a failure if it is not `ok`. Events in between are passed over."""
        text = json.dumps({"command": name, "params": parameters, "token": name}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))
        while True:
            answer = self._next_object()
            if answer.get("response") and answer.get("token") == name:
                self.sandbox.expect(answer["ok"], f"baresip ({self.identity}), {name}: {answer}")
                return answer.get("data", "")

    def _next_object(self) -> dict:
        while True:
            length, colon, rest = self._buffer.partition(b":")
            if colon and len(rest) > int(length):
                self._buffer = rest[int(length) + 1 :]
                return json.loads(rest[: int(length)])
            self._control.settimeout(max(0.01, self.sandbox.limit(15) - self.sandbox.now()))
            try:
                octets = self._control.recv(65536)
            except OSError as error:
                self.sandbox.fail(f"baresip ({self.identity}): {error}")
            if not octets:
                self.sandbox.fail(f"baresip ({self.identity}) closed its control connection")
            self._buffer += octets

    def wait_registered(self) -> None:
        self.program.wait_line(r"200 .*\(.*\).*\[\d+ binding", timeout=30)

    def send(self, to: str, text: str) -> int:
        """Sends a message; returns its final answer, 200 or 202."""
        return self.send_all(to, [text])[0]

    def send_all(self, to: str, texts: list[str]) -> list[int]:
        """Sends messages without waiting in between; returns their final answers, in the order they came."""
        self.sandbox.expect_equal(to, self.correspondent, "baresip's correspondent")
        already = len(self._final_answers())
        for text in texts:
            self.command("message", text)
        self.sandbox.poll(
            lambda: len(self._final_answers()) >= already + len(texts),
            f"the answers to {len(texts)} messages of {self.identity}",
            timeout=30,
        )
        return self._final_answers()[already:]

    def _final_answers(self) -> list[int]:
        """Final answers to its MESSAGE requests, challenges left out, as its trace shows them."""
        answers = []
        status = None
        own = False
        for line in self.program.lines():
            if match := re.match(r"SIP/2\.0 ([2-6]\d\d)", line):
                status, own = int(match.group(1)), False
            elif status and re.match(rf"From:.*sip:{re.escape(self.identity)}\b", line, re.IGNORECASE):
                own = True
            elif match := re.match(r"CSeq:\s*\d+\s+(\w+)", line, re.IGNORECASE):
                if status and own and match.group(1) == "MESSAGE" and status not in (401, 407):
                    answers.append(status)
                status = None
        return answers

    def received(self) -> list[str]:
        """The texts of all messages shown so far, in order."""
        shown = []
        for line in self.program.lines():
            if match := re.search(r'sip:\S+: "(.*)"$', line):
                shown.append(match.group(1))
        return self._earlier + shown

    def wait_received(self, count: int, *, timeout: float = 30) -> list[str]:
        """Waits until `count` messages have been shown since the beginning; returns all of them."""
        missing = count - len(self._earlier)
        if missing > 0:
            self.program.wait_line(r'sip:\S+: "', count=missing, timeout=timeout)
        return self.received()

    def set_presence(self, available: bool) -> None:
        """Publishes that it is available, or not."""
        self.command("presence_online" if available else "presence_offline")

    def wait_presence(self, status: str) -> None:
        """Waits until it shows its correspondent as `status`: Online, Offline, Busy or UNKNOWN."""
        self.sandbox.poll(
            lambda: re.search(rf"{status}\S*\s.*{re.escape(self.correspondent)}", self.command("contacts")),
            f"{self.correspondent} to be {status} at baresip ({self.identity})",
            timeout=30,
        )

    def away(self) -> None:
        """Unregisters and ends, as a user does who closes the client."""
        self.command("quit")
        self._leave(lambda: self.program.wait_end(timeout=15))

    def vanish(self) -> None:
        """Ends without a word to the server."""
        self._leave(self.program.kill)

    def _leave(self, end) -> None:
        end()
        self._earlier = self.received()
        self._control.close()
