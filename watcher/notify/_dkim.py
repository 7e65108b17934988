"""DKIM signatures (RFC 6376) for sites whose mail server doesn't make them; an optional package."""

from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from email.policy import compat32

from watcher.errors import PermanentDeliveryError

# With the two that one-click unsubscribing wants signed (RFC 8058 §4).
_SIGNED = """From To Subject Date Message-ID In-Reply-To References Reply-To List-Id List-Unsubscribe
    List-Unsubscribe-Post MIME-Version Content-Type"""


@dataclass(frozen=True, slots=True)
class DkimKey:
    """`pem` is an RSA private key, or an Ed25519 key in base64 of 32 bytes."""

    selector: str
    domain: str
    pem: str = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """The message with its signature in front. Raises PermanentDeliveryError, which parks."""
        try:
            import dkim
        except ImportError as error:
            what = "signing needs the package dkimpy: pip install 'watcher-alerts[dkim]'"
            raise PermanentDeliveryError(what, code="no_dkimpy", park=True) from error
        there = set(BytesHeaderParser(policy=compat32).parsebytes(message).keys())
        names = [name.encode() for name in _SIGNED.split() if name in there]
        kind = b"rsa-sha256" if "-----BEGIN" in self.pem else b"ed25519-sha256"
        try:
            header: bytes = dkim.sign(
                message,
                self.selector.encode(),
                self.domain.encode(),
                self.pem.strip().encode(),
                canonicalize=(b"relaxed", b"relaxed"),
                signature_algorithm=kind,
                include_headers=names,
            )
        except Exception as error:
            what = (
                f"the dkim_key can't sign: {type(error).__name__}: check that it is a private key"
            )
            raise PermanentDeliveryError(what, code="dkim_key", park=True) from error
        return header + message
