"""The server under test: `godwit serve --config FILE`, its accounts and its configuration."""

from __future__ import annotations

import json
from pathlib import Path

from sandbox import Authority, Sandbox

PASSWORD = "correct-horse-battery-staple"
REPOSITORY = Path(__file__).resolve().parents[3]


def find_binary(environment: dict[str, str]) -> Path | None:
    """$GODWIT, else the newest of the release and the debug build of this repository."""
    if named := environment.get("GODWIT"):
        return Path(named).resolve() if Path(named).is_file() else None
    built = [REPOSITORY / ".build" / kind / "godwit" for kind in ("release", "debug")]
    built = [path for path in built if path.is_file()]
    return max(built, key=lambda path: path.stat().st_mtime) if built else None


class Godwit:
    """Serves `domain` on UDP and TCP at `port`, and with an authority on TLS at `tls_port`.

    `neighbours` has the next hop (`sip:127.0.0.2:5060;transport=udp`) of each domain that is not looked up; its address
    is trusted. `settings` are sections of the configuration beside those.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        users: list[str],
        *,
        domain: str = "example.com",
        authority: Authority | None = None,
        algorithms: list[str] | None = None,
        neighbours: dict[str, str] | None = None,
        password: str = PASSWORD,
        account_algorithms: dict[str, str] | None = None,
        port: int | None = None,
        settings: dict | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.domain = domain
        self.port = port or sandbox.free_port()
        self.tls_port = sandbox.free_port()
        self.directory = sandbox.subdirectory(f"godwit-{domain}")
        self._authority = authority
        self._algorithms = algorithms or ["SHA-256", "MD5"]
        self._neighbours = neighbours or {}
        self._settings = settings or {}
        self._starts = 0
        self.configuration = self.directory / "godwit.yaml"
        # JSON is YAML: no quoting rules of our own.
        self.configuration.write_text(json.dumps(self._configuration(), indent=2) + "\n")
        for user in users:
            only = (account_algorithms or {}).get(user)
            restriction = ["--algorithms", only] if only else []
            self.command("user", "add", user, *restriction, "--password-stdin", input=password + "\n")
        self.start()

    def _configuration(self) -> dict:
        """The one place that knows the shape of Godwit's configuration."""
        configuration = {
            "domains": [self.domain],
            "listen": [f"udp:127.0.0.1:{self.port}", f"tcp:127.0.0.1:{self.port}"],
            "data-directory": str(self.directory / "data"),
            "authentication": {"realm": self.domain, "algorithms": self._algorithms, "required": True},
            "trusted-peers": [uri.split(":")[1] for uri in self._neighbours.values()],
            "routes": [
                {"domain": domain, "next-hop": uri} for domain, uri in self._neighbours.items()
            ],
            "profiles-directory": str(REPOSITORY / "profiles"),
            "admin-socket": str(self.directory / "admin.sock"),
        }
        if self._authority:
            certificate, key = self._authority.issue(self.domain)
            # Some clients know it by name, others by address.
            configuration["listen"].append(
                {"at": f"tls:127.0.0.1:{self.tls_port}", "advertise": f"localhost:{self.tls_port}"}
            )
            configuration["tls"] = {
                "certificate": str(certificate),
                "key": str(key),
                "trust": str(self._authority.certificate),
                "client-certificate": "none",
            }
        return configuration | self._settings

    def start(self) -> None:
        """Starts the server on what its data directory holds; returns when it says that it is ready."""
        self._starts += 1
        self.program = self.sandbox.start(
            f"godwit-{self.domain}-{self._starts}",
            [str(self.sandbox.godwit), "serve", "--config", str(self.configuration)],
            directory=self.directory,
        )
        self.program.wait_line(r"^godwit ready ", timeout=30)

    def stop(self) -> None:
        """Ends the server in order; a failure if it does not exit with 0."""
        self.sandbox.expect_equal(self.program.stop(grace=20), 0, "exit code of godwit after SIGTERM")

    def kill(self) -> None:
        """SIGKILL: nothing is written any more."""
        self.program.kill()

    def command(self, *arguments: str, input: str = "") -> list[str]:
        """Runs another godwit command with this server's configuration; returns its output lines."""
        return self.sandbox.run(
            f"godwit-{arguments[0]}",
            [str(self.sandbox.godwit), *arguments, "--config", str(self.configuration)],
            input=input,
            directory=self.directory,
        )

    def counters(self) -> dict[str, int]:
        """What `godwit server stats` counts."""
        return json.loads("".join(self.command("server", "stats", "--json")))

    def expect_alive(self) -> None:
        self.sandbox.expect(self.program.running, "godwit has ended")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def address_for(self, transport: str) -> str:
        return f"127.0.0.1:{self.tls_port}" if transport == "tls" else self.address
