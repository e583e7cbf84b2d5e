"""Who may ask: requests that are signed with a secret access key, as AWS's SDKs and its CLI sign all of theirs.

Signature Version 4 of the AWS General Reference, "Create a signed AWS API request".  The secret is never sent; the
signature covers the operation, the host and the body, and is good for five minutes.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, unquote

from asl_engine.server.protocol.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Signed", "read_signature"]

ALGORITHM: Final = "AWS4-HMAC-SHA256"
STATES: Final = "states"
END: Final = "aws4_request"
VALID_SECONDS: Final = 300
# Without these an answer could be had to something else than what was signed.
ALWAYS_SIGNED: Final = ("host", "x-amz-target")
STAMP: Final = "%Y%m%dT%H%M%SZ"
MAX_SHOWN: Final = 80  # characters of what was sent

_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_SPACES = re.compile(r" +")

# Recorded in many reports of AWS's JSON services, Step Functions among them.
MISSING = "Missing Authentication Token"
UNKNOWN = "The security token included in the request is invalid."
DIFFERENT = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
    "Key and signing method. Consult the service documentation for details."
)


class Signed(NamedTuple):
    """What a request says of its signature; its time and its key are in order.  ``covers`` looks at the rest."""

    head: str  # the canonical request, but for the hash of the body
    stamp: str
    key: str  # the access key id
    region: str
    service: str
    secret: str
    signature: str

    def covers(self, body: bytes) -> None:
        """Raises ``ApiError`` unless the request with this body is what was signed."""
        request = f"{self.head}\n{sha256(body).hexdigest()}"
        scope = f"{self.stamp[:8]}/{self.region}/{self.service}/{END}"
        text = "\n".join((ALGORITHM, self.stamp, scope, sha256(request.encode()).hexdigest()))
        made = hmac(
            _signing_key(self.secret, self.stamp[:8], self.region, self.service), text.encode(), "sha256"
        ).hex()
        if not compare_digest(made, self.signature):
            raise _invalid(DIFFERENT)


def read_signature(
    headers: Iterable[tuple[bytes, bytes]],
    query: bytes,
    secrets: Mapping[str, str],
    now: Callable[[], float] = time.time,
    *,
    service: str = STATES,
    path: bytes = b"/",
) -> Signed:
    """The signature of a POST to ``path``, as it was sent.  ``secrets`` are secret access keys by access key ids.

    ``service`` is whose API is asked, as signatures name it.  Raises ``ApiError`` where there is none, where
    nobody has the key, and where it is not of this time.
    """
    sent: dict[str, list[str]] = {}
    for raw_name, raw_value in headers:
        sent.setdefault(raw_name.decode("latin-1").lower(), []).append(raw_value.decode("latin-1"))
    if "authorization" not in sent:
        raise ApiError("MissingAuthenticationTokenException", MISSING)
    if len(sent["authorization"]) > 1:
        raise _incomplete("more than one 'Authorization' header")
    algorithm, _, rest = sent["authorization"][0].strip().partition(" ")
    if algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{algorithm[:MAX_SHOWN]}'")
    pairs = [field.strip().partition("=") for field in rest.split(",")]
    fields = {name: value for name, _, value in pairs}
    for name in ("Credential", "Signature", "SignedHeaders"):
        if not fields.get(name):
            raise _incomplete(f"Authorization header requires '{name}' parameter.")
    if len(fields) < len(pairs):
        raise _incomplete("a parameter of the 'Authorization' header is given twice")
    stamp, at = _moment(sent)
    key, region = _scope(fields["Credential"], stamp, service)
    if key not in secrets:
        raise ApiError("UnrecognizedClientException", UNKNOWN)
    _check_age(stamp, at, now())
    if not _SIGNATURE.fullmatch(fields["Signature"]):
        raise _invalid(DIFFERENT)
    names = fields["SignedHeaders"].split(";")
    dated = "x-amz-date" if "x-amz-date" in sent else "date"
    for name in (*ALWAYS_SIGNED, dated):
        if name in sent and name not in names:
            raise _invalid(f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")
    lines = "".join(f"{name}:{_canonical(sent.get(name, []))}\n" for name in names)
    head = f"POST\n{quote(path, safe='/-_.~')}\n{_canonical_query(query)}\n{lines}\n{';'.join(names)}"
    return Signed(head, stamp, key, region, service, secrets[key], fields["Signature"])


def _moment(sent: Mapping[str, list[str]]) -> tuple[str, float]:
    """When it was signed, as it is signed and in seconds since the epoch."""
    given = sent.get("x-amz-date") or sent.get("date")
    if given is None:
        raise _incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    text = given[0].strip()
    match = _STAMP.fullmatch(text)
    try:
        if match is not None:
            return text, datetime(*map(int, match.groups()), tzinfo=UTC).timestamp()  # type: ignore[arg-type,misc]  # six numbers
        moment = parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _incomplete(f"Date must be in ISO-8601 'basic format'. Got '{text[:MAX_SHOWN]}'.") from None
    return moment.strftime(STAMP), moment.timestamp()


def _scope(credential: str, stamp: str, wanted: str) -> tuple[str, str]:
    """The access key id and the region of a Credential."""
    parts = credential.split("/")
    if len(parts) != 5:
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
            f"'{credential[:MAX_SHOWN]}'"
        )
    key, date, region, service, end = parts
    if service != wanted:
        raise _invalid(f"Credential should be scoped to correct service: '{wanted}'.")
    if end != END:
        raise _invalid(f"Credential should be scoped with a valid terminator: '{END}', not '{end[:MAX_SHOWN]}'.")
    if not _REGION.fullmatch(region):
        raise _invalid("Credential should be scoped to a valid region.")
    if date != stamp[:8]:
        raise _invalid(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{date[:MAX_SHOWN]}' != '{stamp[:8]}', from '{stamp}'."
        )
    return key, region


def _check_age(stamp: str, at: float, now: float) -> None:
    if at < now - VALID_SECONDS:
        raise _invalid(
            f"Signature expired: {stamp} is now earlier than {_around(now, -VALID_SECONDS, '- 5 min.')}"
        )
    if at > now + VALID_SECONDS:
        raise _invalid(
            f"Signature not yet current: {stamp} is still later than {_around(now, VALID_SECONDS, '+ 5 min.')}"
        )


def _around(now: float, seconds: int, shown: str) -> str:
    limit, present = (datetime.fromtimestamp(moment, UTC).strftime(STAMP) for moment in (now + seconds, now))
    return f"{limit} ({present} {shown})"


def _canonical(values: list[str]) -> str:
    return ",".join(_SPACES.sub(" ", value.strip()) for value in values)


def _canonical_query(query: bytes) -> str:
    pairs = (pair.partition("=") for pair in query.decode("latin-1").split("&") if pair)
    return "&".join(sorted(f"{_encoded(name)}={_encoded(value)}" for name, _, value in pairs))


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


@lru_cache(maxsize=64)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, END):
        key = hmac(key, part.encode(), "sha256")
    return key


def _incomplete(reason: str) -> ApiError:
    return ApiError("IncompleteSignatureException", reason)


def _invalid(reason: str) -> ApiError:
    return ApiError("InvalidSignatureException", reason)
