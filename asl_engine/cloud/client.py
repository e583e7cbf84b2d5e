"""The AWS account that a command works in: region, clients, and what their errors mean to a person.

boto3 is imported with the first session.  Credentials, retries and endpoints are the AWS SDK's own affair
(AWS_PROFILE, AWS_ENDPOINT_URL, AWS_MAX_ATTEMPTS, ...): whatever works for the AWS CLI works here.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from asl_engine.arn import Arn
from asl_engine.errors import AslError, Parameter, ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Aws", "AwsError", "connect", "error_code", "error_message", "explained", "is_lacking"]

# What must not be repeated: the user part of a URL, access key ids (the IAM User Guide's prefixes), and
# whatever is long enough to be a secret key or a session token and stands behind a word for one.
_SECRETS = re.compile(
    r"(?<=//)[^@\s\"]+@|\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b|"
    r"(?i:(?<=token=)|(?<=secret=)|(?<=token: )|(?<=secret: ))[A-Za-z0-9/+=]{16,}"
)
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")

_NO_CREDENTIALS = (
    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws configure` and `aws sso login` help"
)
_NOT_PERMITTED = "the credentials do not permit this call: whoever deploys needs a policy that allows it"
_REMEDIES = {
    "AccessDenied": _NOT_PERMITTED,
    "AccessDeniedException": _NOT_PERMITTED,
    "UnauthorizedOperation": "the credentials do not permit this call",
    "ExpiredToken": f"the credentials have expired: {_NO_CREDENTIALS}",
    "ExpiredTokenException": f"the credentials have expired: {_NO_CREDENTIALS}",
    "InvalidClientTokenId": f"AWS does not know the credentials: {_NO_CREDENTIALS}",
    "UnrecognizedClientException": f"AWS does not know the credentials: {_NO_CREDENTIALS}",
    "InvalidSignatureException": "the secret key does not fit the access key, or this machine's clock is wrong",
    "SignatureDoesNotMatch": "the secret key does not fit the access key, or this machine's clock is wrong",
    "OptInRequired": "this region or service is not enabled in the account",
    "InvalidDefinition": "AWS refuses the definition",
    "ConflictException": "somebody else is changing it at this moment: look at it, and run the command again",
    "ServiceQuotaExceededException": "a quota is used up: delete versions that nobody needs, or have it raised",
    "StateMachineDeleting": "it is being deleted: run the command again when it is gone",
    "StateMachineDoesNotExist": "`asl remote list` shows those there are",
}
_THROTTLED = {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
AGAIN = "nothing is lost: run the same command again"


class AwsError(AslError):
    """A call to AWS failed.  ``code`` is AWS's name of the error, None where no answer came.

    ``request_id`` is the one that AWS gave the call, for its support and for CloudTrail.
    """

    def __init__(self, *parts: str | Parameter, code: str | None = None, request_id: str | None = None) -> None:
        super().__init__(*parts, *([f" (AWS request id {request_id})"] if request_id else []))
        self.code = code
        self.request_id = request_id


class Aws:
    """One account and region, and the clients for it, made on first use.

    ``session`` is a boto3 session; ``region`` its region.  ``role`` is a role of the account, whose ARN tells
    which account that is; without one AWS is asked.
    """

    def __init__(self, session: Any, region: str, role: str | None = None) -> None:
        self.session = session
        self.region = region
        self._clients: dict[str, Any] = {}
        self._caller = None if role is None else {"Arn": role, "Account": Arn.of(role).account}

    def client(self, service: str, **settings: Any) -> Any:
        """The client of a service.  ``settings`` are botocore's Config; a client that has any is not kept."""
        from botocore.config import Config

        if settings:
            return self.session.client(service, region_name=self.region, config=Config(**settings))
        if service not in self._clients:
            self._clients[service] = self.session.client(service, region_name=self.region)
        return self._clients[service]

    @property
    def states(self) -> Any:
        return self.client("stepfunctions")

    @property
    def account(self) -> str:
        """The twelve digits of the caller's account.  Raises ``AwsError``."""
        return self._identity()["Account"]

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn``, ...: the second part of every ARN."""
        return Arn.of(self._identity()["Arn"]).partition

    def _identity(self) -> dict[str, str]:
        if self._caller is None:
            with explained("ask AWS whose credentials these are"):
                self._caller = self.client("sts").get_caller_identity()
        return self._caller

    def machine_arn(self, name: str) -> str:
        return f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine:{name}"

    def role_arn(self, name: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def function_arn(self, name: str) -> str:
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{name}"


def connect(region: str | None = None, profile: str | None = None, role: str | None = None) -> Aws:
    """A connection to the account that the AWS SDK finds.

    ``region`` and ``profile`` come before the SDK's own; ``role`` is the ARN of a role of the account.  Raises
    ``ProjectError`` where boto3 is not installed, ``AwsError`` for an unknown profile or region and where there
    are no credentials.
    """
    from importlib.util import find_spec

    if find_spec("boto3") is None:
        raise ProjectError('this command needs boto3: pip install "asl-engine[aws]"')
    with explained("set up the AWS SDK"):
        session = new_session(region_name=region, profile_name=profile)
        chosen = session.region_name
        if not chosen:
            raise AwsError(
                "no AWS region is known: give ",
                Parameter("region"),
                ", or set AWS_REGION, or `region` of [tool.asl.deploy]",
            )
        _check_region(session, chosen)
        if session.get_credentials() is None:
            raise AwsError(f"there are no AWS credentials: {_NO_CREDENTIALS}")
    return Aws(session, chosen, role)


def new_session(**settings: str | None) -> Any:
    import boto3

    return boto3.Session(**settings)


def _check_region(session: Any, region: str) -> None:
    """A region that the SDK has not heard of may be new; one that cannot be a region's name is a mistake."""
    from difflib import get_close_matches

    known = [name for part in session.get_available_partitions() for name in _regions(session, part)]
    if region in known:
        return
    close = get_close_matches(region, known, n=1, cutoff=0.8)
    if close or not _REGION.fullmatch(region):
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise AwsError(f"there is no AWS region {region!r}{hint}")


def _regions(session: Any, partition: str) -> list[str]:
    regions: list[str] = session.get_available_regions("stepfunctions", partition_name=partition)
    return regions


def error_code(error: BaseException) -> str | None:
    """AWS's name of an error, None where it is no answer of AWS."""
    response = getattr(error, "response", None)
    return response.get("Error", {}).get("Code") if isinstance(response, dict) else getattr(error, "code", None)


def error_message(error: BaseException) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Message", "")) if isinstance(response, dict) else str(error)


def is_lacking(error: BaseException) -> bool:
    """Whether the endpoint does not know the operation at all.  An emulator may; AWS itself does.

    botocore puts the bare status where the answer has no error that could be read.  An internal error of AWS
    has a request id; an emulator that stumbles over an operation gives none.
    """
    code = error_code(error)
    if code == "500":
        return _request_id(error) is None
    return code in {"UnknownOperationException", "404", "405", "501", "NotImplemented"}


def _request_id(error: BaseException) -> str | None:
    """The id of the call.  botocore leaves it among the headers where the answer's body could not be read."""
    meta = getattr(error, "response", {}).get("ResponseMetadata", {})
    headers = meta.get("HTTPHeaders", {})
    found: str | None = meta.get("RequestId") or headers.get("x-amzn-requestid") or headers.get("x-amz-request-id")
    return found


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Whatever botocore raises inside becomes an ``AwsError``: "cannot <doing>: what, why, what to do"."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except ClientError as error:
        raise _refused(doing, error) from error
    except (HTTPClientError, ConnectionError) as error:
        raise AwsError(f"cannot {doing}: {clean(_no_answer(error))}; {AGAIN}") from error
    except BotoCoreError as error:
        raise AwsError(f"cannot {doing}: {clean(_sdk_error(error))}") from error
    except ValueError as error:
        if not str(error).startswith("Invalid endpoint"):  # AWS_ENDPOINT_URL is no URL
            raise
        raise AwsError(f"cannot {doing}: {clean(str(error))}") from error


def _refused(doing: str, error: Any) -> AwsError:
    detail, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    code, message = str(detail.get("Code", "")), clean(str(detail.get("Message", "")))
    if is_lacking(error):
        status = meta.get("HTTPStatusCode")
        return AwsError(f"cannot {doing}: the endpoint lacks {error.operation_name} (status {status})", code=code)
    remedy = f"AWS is throttling; {AGAIN}" if code in _THROTTLED else _REMEDIES.get(code)
    if remedy is None and meta.get("HTTPStatusCode", 0) >= 500:
        remedy = AGAIN
    parts = [part for part in (f"{code}: {message}" if message else code, remedy) if part]
    return AwsError(f"cannot {doing}: {'; '.join(parts)}", code=code, request_id=_request_id(error))


def _no_answer(error: Exception) -> str:
    from botocore import exceptions

    if isinstance(error, exceptions.EndpointConnectionError):
        return f"{error} (is the region right, and the network up?)"
    return f"the connection failed: {error}"


def _sdk_error(error: Exception) -> str:
    from botocore import exceptions

    if isinstance(error, exceptions.CredentialRetrievalError):  # quotes the output of the user's own command
        return f"the AWS SDK could not retrieve credentials: {_NO_CREDENTIALS}"
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return f"there are no AWS credentials: {_NO_CREDENTIALS}"
    if isinstance(error, exceptions.SSOError | exceptions.TokenRetrievalError):
        return f"{error}: `aws sso login` renews them"
    return str(error)


def clean(text: str) -> str:
    """Without what might be a secret, and on one line."""
    return " ".join(_SECRETS.sub("...", text).split())
