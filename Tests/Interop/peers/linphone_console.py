"""linphonec 5.1: Linphone's console. Of the stock programs over liblinphone it is the one that shows other users' presence."""

from __future__ import annotations

import re

from sandbox import Authority, Sandbox

from .linphone import CONFIGURATION

FRIEND = """\
[friend_{number}]
url=sip:{friend}
pol=accept
subscribe=1
"""


class LinphoneConsole:
    """One user, who publishes while registered and watches `friends`."""

    def __init__(
        self,
        sandbox: Sandbox,
        identity: str,
        password: str,
        *,
        server: str,
        friends: list[str],
        transport: str = "udp",
        authority: Authority | None = None,
    ) -> None:
        if transport == "tls":
            # It compares certificates with names only, so it needs a name that is in the certificate.
            server = server.replace("127.0.0.1:", "localhost:")
        self.sandbox = sandbox
        self.identity = identity
        self._password = password
        self._server = server
        self._friends = friends
        self._transport = transport
        self._home = sandbox.subdirectory(f"linphonec-{identity}")
        self._trust = authority.certificate if authority else self._home / "no-authority.pem"
        self._starts = 0
        self.start()

    def start(self) -> None:
        """Starts the client; returns when it has registered."""
        self._starts += 1
        (self._home / ".local/share/linphone").mkdir(parents=True, exist_ok=True)
        user, _, domain = self.identity.partition("@")
        local = self.sandbox.free_port()
        text = CONFIGURATION.format(
            **{kind: local if kind == self._transport else 0 for kind in ("udp", "tcp", "tls")},
            trust=self._trust,
            proxy=f"<sip:{self._server};transport={self._transport}>",
            identity=self.identity,
            user=user,
            domain=domain,
            password=self._password,
            expires=3600,
            publish=1,
            friends="".join(FRIEND.format(number=number, friend=friend) for number, friend in enumerate(self._friends)),
        )
        self._log = self._home / f"linphone-{self._starts}.log"
        configuration = self._home / "linphonerc"
        configuration.write_text(text)
        home = str(self._home)
        self.program = self.sandbox.start(
            f"linphonec-{self.identity}-{self._starts}",
            ["stdbuf", "-oL", "linphonec", "-c", str(configuration), "-d", "6", "-l", str(self._log)],
            environment={"HOME": home, "XDG_RUNTIME_DIR": home, "PULSE_SERVER": "none"},
            directory=self._home,
        )
        # Its console says nothing of it.
        self.sandbox.poll(
            lambda: self._log.exists() and self._log.read_text("utf-8", "replace").count("to [LinphoneRegistrationOk]"),
            f"the registration of linphonec ({self.identity})",
            timeout=30,
        )

    def wait_presence(self, friend: str, status: str, *, after: int = 0) -> None:
        """Waits until it shows `friend` as `status`: Online, Offline, Busy, Away and so on."""
        self.program.wait_line(rf"Friend .*{re.escape(friend)}> is {status}", after=after, timeout=30)

    def away(self) -> None:
        """Takes publication, subscriptions and registration back, and ends."""
        self.program.write("quit\n")
        self.program.wait_end(timeout=20)
