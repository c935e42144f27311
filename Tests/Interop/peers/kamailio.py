"""Kamailio 5.6: the neighbouring domain, with users, digest and an offline store (msilo) of its own."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sandbox import Authority, Sandbox

from .presence import PIDF, document
from .scripted import ScriptedEndpoint

SCHEMAS = Path("/usr/share/kamailio/db_sqlite")
PASSWORD = "kamailio-secret"


class Kamailio:
    """Answers for `domain` at a loopback address of its own; sends what its users write to any other domain to `next_hop`."""

    template = "kamailio.cfg"

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        domain: str = "example.net",
        next_hop: str = "sip:127.0.0.1:9",
        algorithm: str = "MD5",
        host: str = "127.0.0.2",
        port: int | None = None,
        authority: Authority | None = None,
        debug: int = 1,
    ) -> None:
        self.sandbox = sandbox
        self.domain = domain
        self.host = host
        self.port = port or sandbox.free_port()
        self.directory = sandbox.subdirectory(f"kamailio-{domain}")
        words = {
            "DOMAIN": domain,
            "HOST": host,
            "PORT": str(self.port),
            "NEXTHOP": next_hop,
            "BACK": next_hop.partition("transport=")[2] or "udp",
            "PASSWORD": PASSWORD,
            "ALGORITHM": algorithm,
            "DIRECTORY": str(self.directory),
            "DEBUG": str(debug),
        }
        defines = []
        if authority:
            certificate, key = authority.issue(domain)
            self.tls_port = sandbox.free_port()
            words |= {
                "CERTIFICATE": str(certificate),
                "KEY": str(key),
                "TRUST": str(authority.certificate),
                "TLSPORT": str(self.tls_port),
            }
            defines = ["-A", "WITH_TLS"]
        self._create_store()
        configuration = (Path(__file__).parent / self.template).read_text()
        for word, value in words.items():
            configuration = configuration.replace(f"@{word}@", value)
        path = self.directory / "kamailio.cfg"
        path.write_text(configuration)
        command = ["kamailio", "-DD", "-E", "-f", str(path), "-m", "64", "-M", "8", "-w", str(self.directory),
                   "-Y", str(self.directory), *defines]  # fmt: skip
        self._start(command)

    def _start(self, command: list[str]) -> None:
        """Starts it; again where its own processes locked each other out of their new database, as they do now and then."""
        for attempt in range(1, 4):
            self.program = self.sandbox.start(f"kamailio-{self.domain}-{attempt}", command, directory=self.directory)
            self.sandbox.poll(
                lambda: self._answers() or self._is_locked_out(), f"an answer of {self.program.name}", timeout=20
            )
            if not self._is_locked_out():
                return
            self.program.stop()
        self.sandbox.fail("kamailio found its database locked at every start")

    def _is_locked_out(self) -> bool:
        return any("database is locked" in line for line in self.program.lines())

    def _create_store(self) -> None:
        with sqlite3.connect(self.directory / "silo.db") as database:
            for schema in ("standard", "msilo"):
                path = SCHEMAS / f"{schema}-create.sql"
                if not path.exists():
                    self.sandbox.fail("kamailio-sqlite-modules is not installed: run tools/setup")
                database.executescript(path.read_text())
            database.execute("pragma journal_mode=wal")
        database.close()

    def _answers(self) -> bool:
        if self._is_locked_out():
            return False
        if not self.program.running:
            self.sandbox.fail("kamailio ended at start")
        with ScriptedEndpoint(self.sandbox, f"probe@{self.domain}") as probe:
            probe.send(probe.request("OPTIONS", f"sip:nobody@{self.domain}", f"sip:nobody@{self.domain}"), self.address)
            return probe.receive(timeout=0.3) is not None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def next_hop(self, transport: str = "udp") -> str:
        port = self.tls_port if transport == "tls" else self.port
        return f"sip:{self.host}:{port};transport={transport}"

    def stored(self) -> int:
        """How many messages wait in its offline store."""
        database = sqlite3.connect(self.directory / "silo.db", timeout=10)
        try:
            return database.execute("select count(*) from silo").fetchone()[0]
        finally:
            database.close()


class PresenceServer(Kamailio):
    """Kamailio as external presence server and registrar for users of `domain`; it asks nobody for credentials."""

    template = "kamailio-presence.cfg"

    def __init__(self, sandbox: Sandbox, **options) -> None:
        self._entity_tags: dict[str, str] = {}
        super().__init__(sandbox, **options)

    def _create_store(self) -> None:
        with sqlite3.connect(self.directory / "presence.db") as database:
            for schema in ("standard", "presence"):
                path = SCHEMAS / f"{schema}-create.sql"
                if not path.exists():
                    self.sandbox.fail("kamailio-sqlite-modules is not installed: run tools/setup")
                database.executescript(path.read_text())
            database.execute("pragma journal_mode=wal")
        database.close()

    def wait_request(self, method: str, user: str, *, expires: str = r"\d+", after: int = 0) -> None:
        """Waits until it has been asked that, from line `after` of its log on."""
        self.program.wait_line(rf"request {method} sip:{user} from \S+, Expires {expires}$", after=after, timeout=20)

    def publish(self, user: str, status: str) -> None:
        """The user's own client publishes there."""
        uri = f"sip:{user}@{self.domain}"
        body = document(f"{user}@{self.domain}", ("t1", status))
        with ScriptedEndpoint(self.sandbox, f"{user}@{self.domain}") as client:
            condition = [f"SIP-If-Match: {self._entity_tags[user]}"] if user in self._entity_tags else []
            response = client.final_response(
                client.request(
                    "PUBLISH", uri, uri, headers=["Event: presence", "Expires: 3600", *condition], body=body, content_type=PIDF
                ),
                self.address,
            )
        self.sandbox.expect_equal(response.status, 200, "answer to a PUBLISH at kamailio")
        self._entity_tags[user] = response.first("sip-etag") or ""
