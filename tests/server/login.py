"""A company's login: publishes its keys on a free port, counts who reads them, and signs tokens."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://login.example.com"
ALGORITHMS: dict[str, Any] = {"ES256": jwt.algorithms.ECAlgorithm, "RS256": jwt.algorithms.RSAAlgorithm}


@dataclass
class SigningKey:
    id: str
    algorithm: str = "ES256"
    private: Any = None

    def __post_init__(self) -> None:
        if self.private is None:
            made = ec.generate_private_key(ec.SECP256R1()) if self.algorithm == "ES256" else _rsa()
            self.private = made

    def published(self, **changes: Any) -> dict[str, Any]:
        jwk = ALGORITHMS[self.algorithm].to_jwk(self.private.public_key(), as_dict=True)
        return {**jwk, "kid": self.id, "use": "sig", "alg": self.algorithm, **changes}

    @property
    def pem(self) -> bytes:
        return bytes(self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def signs(self, claims: dict[str, Any], **header: Any) -> str:
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(said, self.private, algorithm=self.algorithm, headers={"kid": self.id, **header})


@dataclass
class Login:
    """`keys` is what it publishes; set `body` or `status` for what it should not."""

    url: str = ""
    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey("first")])
    body: bytes | None = None
    status: int = 200
    reads: int = 0

    @property
    def document(self) -> bytes:
        return self.body or json.dumps({"keys": [key.published() for key in self.keys]}).encode()

    def token(self, *, key: SigningKey | None = None, **claims: Any) -> str:
        """Good for ten minutes; a claim of None is left out, and a time is counted from now."""
        whole = {"iss": ISSUER, "iat": timedelta(0), "exp": timedelta(minutes=10), **claims}
        return (key or self.keys[0]).signs(from_now(whole))


def from_now(claims: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {name: now + value if isinstance(value, timedelta) else value for name, value in claims.items()}


@contextmanager
def logging_in() -> Iterator[Login]:
    login = Login()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            login.reads += 1
            body = login.document
            self.send_response(login.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002 - as the base class names it

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        login.url = f"http://127.0.0.1:{server.server_address[1]}/keys"
        try:
            yield login
        finally:
            server.shutdown()
            thread.join()


def _rsa(size: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=size)
