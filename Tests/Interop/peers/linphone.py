"""linphone-daemon 5.1: a full stock client, driven through its UNIX socket."""

from __future__ import annotations

import os
import re
import secrets
import socket
from pathlib import Path

from sandbox import Authority, Sandbox

CONFIGURATION = """\
[sip]
bind_address=127.0.0.1
sip_port={udp}
sip_tcp_port={tcp}
sip_tls_port={tls}
use_ipv6=0
default_proxy=0
guess_hostname=1
root_ca={trust}
verify_server_certs=1
verify_server_cn=1

[net]
dns_srv_enabled=0
firewall_policy=0

[proxy_0]
reg_proxy={proxy}
reg_route={proxy}
reg_identity=sip:{identity}
reg_expires={expires}
reg_sendregister=1
publish={publish}

[auth_info_0]
username={user}
passwd={password}
domain={domain}

[lime]
enabled=0

{friends}
[sound]
playback_dev_id=none
"""


class Linphone:
    """One user. `away()` unregisters and ends the client; `vanish()` only ends it; `start()` brings it back with its memory of messages."""

    kind = "linphone"

    def __init__(
        self,
        sandbox: Sandbox,
        identity: str,
        password: str,
        *,
        server: str,
        transport: str = "udp",
        authority: Authority | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.identity = identity
        self.password = password
        self.transport = transport
        if transport == "tls":
            # It compares certificates with names only, so it needs a name that is in the certificate.
            server = server.replace("127.0.0.1:", "localhost:")
        self._proxy = f"<sip:{server};transport={transport}>"
        self._home = sandbox.subdirectory(f"linphone-{identity}")
        self._trust = authority.certificate if authority else self._home / "no-authority.pem"
        self._log = self._home / "linphone.log"
        self._incoming: list[str] = []
        self._starts = 0
        self.start()

    def start(self) -> None:
        """Starts the client and registers."""
        self._starts += 1
        name = f"godwit-interop-{secrets.token_hex(6)}"
        path = Path("/tmp") / name  # where linphone-daemon puts its socket, whatever TMPDIR says
        self.sandbox.on_close(lambda: path.unlink(missing_ok=True))
        local = self.sandbox.free_port()
        ports = {kind: local if kind == self.transport else 0 for kind in ("udp", "tcp", "tls")}
        configuration = self._home / "linphonerc"
        user, _, domain = self.identity.partition("@")
        configuration.write_text(
            CONFIGURATION.format(
                **ports,
                trust=self._trust,
                proxy=self._proxy,
                identity=self.identity,
                user=user,
                domain=domain,
                password=self.password,
                expires=3600,
                publish=0,
                friends="",
            )
        )
        home = str(self._home)
        (self._home / ".local/share/linphone").mkdir(parents=True, exist_ok=True)  # it does not create it
        self.program = self.sandbox.start(
            f"linphone-{self.identity}-{self._starts}",
            ["linphone-daemon", "--pipe", name, "--config", str(configuration), "--log", str(self._log)],
            environment={"HOME": home, "XDG_RUNTIME_DIR": home, "PULSE_SERVER": "none"},
            directory=self._home,
        )
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sandbox.on_close(self._socket.close)
        self.sandbox.poll(lambda: self._connect(path), f"the socket of linphone ({self.identity})", timeout=20)
        path.unlink(missing_ok=True)
        self.wait_registered()

    def _connect(self, path: Path) -> bool:
        if not self.program.running:
            self.sandbox.fail("linphone-daemon ended at start")
        try:
            self._socket.connect(os.fspath(path))
        except OSError:
            return False
        return True

    def command(self, text: str) -> str:
        """One command, its answer without the status line; a failure if the status is not Ok."""
        self._socket.settimeout(max(0.01, self.sandbox.limit(15) - self.sandbox.now()))
        try:
            self._socket.sendall((text + "\n").encode())
            answer = self._socket.recv(1 << 16).decode("utf-8", "replace")
        except OSError as error:
            self.sandbox.fail(f"linphone ({self.identity}), {text!r}: {error}")
        status, _, rest = answer.partition("\n")
        self.sandbox.expect_equal(status, "Status: Ok", f"linphone ({self.identity}), {text!r}")
        return rest

    def wait_registered(self) -> None:
        def probe() -> bool:
            answer = self.command("register-status ALL")
            self.sandbox.expect("LinphoneRegistrationFailed" not in answer, f"linphone ({self.identity}): {answer!r}")
            return "LinphoneRegistrationOk" in answer

        self.sandbox.poll(probe, f"the registration of linphone ({self.identity})", timeout=30)

    def send(self, to: str, text: str) -> int:
        """Sends a message; returns its final answer, 200 or 202."""
        return self.send_all(to, [text])[0]

    def send_all(self, to: str, texts: list[str]) -> list[int]:
        """Sends messages without waiting in between; returns their final answers."""
        calls = []
        for text in texts:
            answer = self.command(f"message sip:{to} {text}")
            calls.append(re.search(r"Id: (\S+)", answer).group(1))

        def probe() -> list[int] | None:
            answers = self._final_answers()
            return [answers[call] for call in calls] if all(call in answers for call in calls) else None

        return self.sandbox.poll(probe, f"the answers to {len(texts)} messages of {self.identity}", timeout=30)

    def _final_answers(self) -> dict[str, int]:
        """Final answers to MESSAGE by Call-ID, challenges left out, as its own log has them."""
        answers: dict[str, int] = {}
        status = call = None
        for line in self._log.read_text("utf-8", "replace").splitlines():
            if match := re.match(r"SIP/2\.0 ([2-6]\d\d)", line):
                status, call = int(match.group(1)), None
            elif match := re.match(r"Call-ID:\s*(\S+)", line, re.IGNORECASE):
                call = match.group(1)
            elif not line.strip():
                if status and call and status not in (401, 407):
                    answers[call] = status
                status = call = None
        return answers

    def received(self) -> list[str]:
        """The texts of all messages shown so far, in order."""
        while True:
            answer = self.command("pop-event")
            if "Event-type: message-received" in answer:
                content = re.search(r'^Content: "(.*)"$', answer, re.MULTILINE | re.DOTALL)
                self._incoming.append(content.group(1))
            elif re.search(r"^Size: 0", answer, re.MULTILINE) and "Event-type" not in answer:
                return self._incoming

    def wait_received(self, count: int, *, timeout: float = 30) -> list[str]:
        """Waits until `count` messages have been shown since the beginning; returns all of them."""
        self.sandbox.poll(
            lambda: len(self.received()) >= count, f"message {count} at linphone ({self.identity})", timeout=timeout
        )
        return self._incoming

    def wait_reports(self, count: int) -> None:
        """Waits until the recipients' clients have confirmed `count` of its messages (IMDN, RFC 5438)."""
        # The daemon tells only the first final state of a message, its log all of them.
        self.sandbox.poll(
            lambda: self._log.read_text("utf-8", "replace").count(" to DeliveredToUser") >= count,
            f"delivery report {count} at linphone ({self.identity})",
            timeout=30,
        )

    def away(self) -> None:
        """Unregisters and ends, as a user does who closes the client."""
        self.received()
        self.command("quit")
        self._socket.close()
        self.program.wait_end(timeout=15)

    def vanish(self) -> None:
        """Ends without a word to the server."""
        self.received()
        self._socket.close()
        self.program.kill()
