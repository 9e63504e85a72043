"""Tokens that must never count: without a signature, or signed with what everybody can read."""

import base64
import json
from typing import Any

import jwt


def header(**said: Any) -> str:
    return encoded(json.dumps({"typ": "JWT", **said}).encode())


def unsigned(token: str) -> str:
    """The same claims under `alg: none`."""
    return f"{header(alg='none', kid='first')}.{token.split('.')[1]}."


def signed_with_public_key(token: str, public: bytes) -> str:
    """The oldest trick: the public key, which everybody has, as the secret of HS256. By hand: PyJWT refuses to."""
    said = f"{header(alg='HS256', kid='first')}.{token.split('.')[1]}"
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    return f"{said}.{encoded(algorithm.sign(said.encode(), public))}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
