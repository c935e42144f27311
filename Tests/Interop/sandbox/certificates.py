"""A certification authority for one scenario, made with openssl."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .sandbox import Sandbox


class Authority:
    """Signs certificates for SIP domains (RFC 5922: the domain is a DNS and a URI subject alternative name)."""

    def __init__(self, sandbox: Sandbox, name: str = "authority") -> None:
        self._sandbox = sandbox
        self._directory = sandbox.subdirectory(name)
        self.certificate = self._directory / "ca.pem"
        self._key = self._directory / "ca-key.pem"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", f"/CN=Godwit interop {name}", "-days", "30",
            "-keyout", str(self._key), "-out", str(self.certificate),
        )  # fmt: skip

    def issue(self, domain: str) -> tuple[Path, Path]:
        """A certificate and its key for `domain`, valid for localhost and the addresses servers have here as well."""
        certificate = self._directory / f"{domain}.pem"
        key = self._directory / f"{domain}-key.pem"
        request = self._directory / f"{domain}.csr"
        extensions = self._directory / f"{domain}.ext"
        extensions.write_text(
            f"subjectAltName=DNS:{domain},URI:sip:{domain},DNS:localhost,IP:127.0.0.1,IP:127.0.0.2\n"
            "extendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:FALSE\n"
        )
        self._openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", f"/CN={domain}", "-keyout", str(key), "-out", str(request),
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.certificate), "-CAkey", str(self._key),
            "-CAcreateserial", "-days", "30", "-extfile", str(extensions), "-out", str(certificate),
        )  # fmt: skip
        return certificate, key

    def _openssl(self, *arguments: str) -> None:
        self._sandbox.run("openssl", ["openssl", *arguments])
