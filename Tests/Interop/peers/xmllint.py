"""xmllint validates documents by the schemas that the RFCs print."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox import Sandbox

from .godwit import REPOSITORY

SCHEMAS = REPOSITORY.parent / "shared/vectors/xml/schemas"
NAMESPACES = {
    "urn:ietf:params:xml:ns:pidf": "rfc3863-pidf.xsd",
    "urn:ietf:params:xml:ns:pidf:data-model": "rfc4479-data-model.xsd",
    "urn:ietf:params:xml:ns:pidf:rpid": "rfc4480-rpid.xsd",
    "urn:ietf:params:xml:ns:pidf:timed-status": "rfc4481-timed-status.xsd",
    "urn:ietf:params:xml:ns:pidf:cipid": "rfc4482-cipid.xsd",
    "urn:ietf:params:xml:ns:pidf:caps": "rfc5196-caps.xsd",
    "urn:ietf:params:xml:ns:pidf-diff": "rfc5262-pidf-diff.xsd",
    "urn:ietf:params:xml:ns:watcherinfo": "rfc3858-watcherinfo.xsd",
    "urn:ietf:params:xml:ns:reginfo": "rfc3680-reginfo.xsd",
}
# Schemas name each other by places where nothing is, or which are not to be asked.
PLACES = {
    "http://www.w3.org/2001/xml.xsd": "xml.xsd",
    "http://www.w3.org/2001/03/xml.xsd": "xml.xsd",
    "common-schema.xsd": "rfc4479-common-schema.xsd",
    "pidf.xsd": "rfc3863-pidf.xsd",
    "urn:ietf:params:xml:schema:patch-ops": "rfc5261-patch-ops.xsd",
}
XML_SCHEMA = (
    '<xs:schema targetNamespace="http://www.w3.org/XML/1998/namespace" xmlns:xs="http://www.w3.org/2001/XMLSchema">'
    '<xs:attribute name="lang" type="xs:language"/></xs:schema>'
)


class SchemaCheck:
    """All schemas as one; a missing schema or xmllint is a failure."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._directory = sandbox.subdirectory("schemas")
        self._count = 0
        sandbox.expect(SCHEMAS.is_dir(), f"the schemas are not at {SCHEMAS}")
        for schema in SCHEMAS.glob("*.xsd"):
            text = re.sub(r'(schemaLocation\s*=\s*")([^"]+)"', self._place, schema.read_text())
            if schema.name == "rfc4480-rpid.xsd":
                # As printed it lacks the schema whose types it uses.
                text = text.replace(
                    'attributeFormDefault="unqualified">',
                    'attributeFormDefault="unqualified"><xs:include schemaLocation="rfc4479-common-schema.xsd"/>', 1,
                )  # fmt: skip
            (self._directory / schema.name).write_text(text)
        (self._directory / "xml.xsd").write_text(XML_SCHEMA)
        imports = "".join(f'<xs:import namespace="{name}" schemaLocation="{file}"/>' for name, file in NAMESPACES.items())
        self._all = self._directory / "all.xsd"
        self._all.write_text(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>')

    @staticmethod
    def _place(match: re.Match) -> str:
        return f'{match.group(1)}{PLACES.get(match.group(2), match.group(2))}"'

    def _run(self, label: str, body: bytes) -> tuple[int, str]:
        self._count += 1
        path: Path = self._directory / f"{self._count}-{label}.xml"
        path.write_bytes(body)
        program = self.sandbox.start(
            f"xmllint-{self._count}-{label}", ["xmllint", "--nonet", "--noout", "--schema", str(self._all), str(path)]
        )
        return program.wait_end(timeout=30), " | ".join(program.lines())

    def expect_valid(self, label: str, body: bytes) -> None:
        code, complaints = self._run(label, body)
        self.sandbox.expect(code == 0, f"{label}: {complaints}\n{body.decode('utf-8', 'replace')}")

    def expect_invalid(self, label: str, body: bytes) -> None:
        """The check of the check: 3 is xmllint's exit code for a document that is not valid."""
        code, complaints = self._run(label, body)
        self.sandbox.expect(code == 3, f"{label} passed, or was not validated ({code}): {complaints}")
