"""Where a command works: endpoint, account, region, clients, and what their errors mean to a person.

boto3 is imported with the first session.  Credentials, retries and endpoints are the AWS SDK's own affair
(AWS_PROFILE, AWS_ENDPOINT_URL, AWS_MAX_ATTEMPTS, ...): whatever works for the AWS CLI works here.  The endpoint
of Step Functions says whose resources a command may touch: see ``Aws.beside``.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.arn import Arn
from asl_engine.cloud.endpoints import is_aws, is_loopback, is_url, mark, same_server, shown
from asl_engine.errors import AslError, Parameter, ProjectError
from asl_engine.resources.aws.clients import ANY_CREDENTIALS
from asl_engine.resources.aws.regions import configured_region

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.project.configuration import Project

__all__ = ["Aws", "AwsError", "connect", "error_code", "error_message", "explained", "is_lacking"]

# What must not be repeated: the user part of a URL, access key ids (the IAM User Guide's prefixes), and
# whatever is long enough to be a secret key or a session token and stands behind a word for one.
_SECRETS = re.compile(
    r"(?<=//)[^@\s\"]+@|\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b|"
    r"(?i:(?<=token=)|(?<=secret=)|(?<=token: )|(?<=secret: ))[A-Za-z0-9/+=]{16,}"
)
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_ACCOUNT = re.compile(r"\d{12}")
_ANY_REGION = "us-east-1"

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
    "UnrecognizedClientException": (
        f"the credentials are not known there: {_NO_CREDENTIALS}; "
        "those of `asl serve` are in the file that it names"
    ),
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
_NO_URL = ("Invalid endpoint", "Invalid IPv6 URL")  # of botocore, and of urllib
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
    """One endpoint of Step Functions with its account and region, and the clients for it, made on first use.

    ``session`` is a boto3 session; ``region`` its region, and ``profile`` the profile that was asked for.
    ``endpoint`` is the URL of Step Functions, None for the one that the AWS SDK finds.  ``role`` is the ARN of a
    role, which names the account where AWS cannot be asked for it; else ``start``, a file of the project, does.
    ``credentials`` are those to use where the SDK finds none.
    """

    def __init__(
        self,
        session: Any,
        region: str,
        role: str | None = None,
        *,
        profile: str | None = None,
        endpoint: str | None = None,
        credentials: Mapping[str, str] | None = None,
        start: Path | None = None,
    ) -> None:
        self.session = session
        self.region = region
        self._role = role
        self._profile = profile
        self._endpoint = endpoint
        self._credentials = credentials or {}
        self._start = start
        self._clients: dict[str, Any] = {}
        self._caller: dict[str, str] | None = None

    def client(self, service: str, **settings: Any) -> Any:
        """The client of a service.  ``settings`` are botocore's Config; a client that has any is not kept."""
        if settings:
            return self._made(service, settings)
        if service not in self._clients:
            self._clients[service] = self._made(service, {})
        return self._clients[service]

    def _made(self, service: str, settings: dict[str, Any]) -> Any:
        from botocore.config import Config

        endpoint = {"endpoint_url": self._endpoint} if service == "stepfunctions" and self._endpoint else {}
        with explained(f"set up the client of {service}"):
            make = partial(self.session.client, service, region_name=self.region, **endpoint, **self._credentials)
            made = make(config=Config(**settings))
            if service == "stepfunctions" and not is_aws(made.meta.endpoint_url):
                # StartSyncExecution goes to another host than the rest only at AWS.
                made = make(config=Config(**settings, inject_host_prefix=False))
        return made

    @property
    def states(self) -> Any:
        return self.client("stepfunctions")

    # -- where this is --------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The endpoint of Step Functions, for people."""
        return shown(self.states.meta.endpoint_url)

    @cached_property
    def is_aws(self) -> bool:
        """Whether Step Functions is AWS's own, and not a server on this machine or an emulator."""
        return is_aws(self.states.meta.endpoint_url)

    @property
    def place(self) -> str:
        """Region, account and endpoint, for people."""
        return f"{self.region}, account {self.account}, at {self.url}"

    @property
    def area(self) -> str:
        """The region, for people, and the endpoint where that is not AWS's."""
        return self.region if self.is_aws else f"{self.region} at {self.url}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which another program works at the same place.  boto3 does not read AWS_REGION."""
        found = {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        found |= {key.upper(): value for key, value in self._credentials.items()}
        for name, given in (("AWS_PROFILE", self._profile), ("AWS_ENDPOINT_URL_SFN", self._endpoint)):
            found |= {} if given is None else {name: given}
        return found

    @property
    def mark(self) -> str:
        """What a tag says of resources that are made for this endpoint, region and account."""
        return mark(self.states.meta.endpoint_url, self.region, self.account)

    def beside(self, service: str) -> bool:
        """Whether another service is where Step Functions is: both are AWS's, or neither is.

        A server with nothing but Step Functions has no other service beside it, even if all endpoints lead to it.
        """
        here, there = self.states.meta.endpoint_url, self.client(service).meta.endpoint_url
        if self.is_aws or is_aws(there):
            return self.is_aws and is_aws(there)
        return not same_server(here, there) or self._emulated is not None

    @property
    def account(self) -> str:
        """The twelve digits of the account.  Raises ``AwsError``."""
        return self._identity()["Account"] if self.is_aws else self._account_there

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn``, ...: the second part of every ARN."""
        if self.is_aws:
            return Arn.of(self._identity()["Arn"]).partition
        from botocore.exceptions import UnknownRegionError

        try:
            return str(self.session.get_partition_for_region(self.region))
        except UnknownRegionError:  # a region of the emulator's own
            return "aws"

    def _identity(self) -> dict[str, str]:
        if self._caller is None:
            with explained("ask AWS whose credentials these are"):
                self._caller = self.client("sts").get_caller_identity()
        return self._caller

    @cached_property
    def _emulated(self) -> dict[str, str] | None:
        """The identity that an emulator gives its caller; None where there is only Step Functions.

        STS at AWS is not asked: it would answer for an account that is not meant.
        """
        from botocore.exceptions import ClientError
        from botocore.parsers import ResponseParserError

        if is_aws(self.client("sts").meta.endpoint_url):
            return None
        try:
            return self._identity()
        except AwsError as error:
            cause = error.__cause__
            if isinstance(cause, ResponseParserError) or (isinstance(cause, ClientError) and is_lacking(cause)):
                return None
            raise

    @cached_property
    def _account_there(self) -> str:
        """The account at an endpoint that is not AWS's.

        An emulator's STS names it, or a state machine that is there, or the role.  `asl serve` takes an access key
        of 12 digits for the account, and has the project's account for everybody else.
        """
        if self._role is None and self._emulated is not None:
            return self._emulated["Account"]
        with explained("list the state machines"):
            listed = self.states.list_state_machines(maxResults=1)["stateMachines"]
        if listed or self._role is not None:
            return Arn.of(listed[0]["stateMachineArn"] if listed else str(self._role)).account
        key = self._credentials.get("aws_access_key_id") or self.session.get_credentials().access_key
        return str(key) if _ACCOUNT.fullmatch(key) else _project(self._start).account

    def machine_arn(self, name: str) -> str:
        return f"arn:{self.partition}:states:{self.region}:{self.account}:stateMachine:{name}"

    def role_arn(self, name: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def function_arn(self, name: str) -> str:
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{name}"


def connect(
    region: str | None = None,
    profile: str | None = None,
    role: str | None = None,
    *,
    endpoint: str | None = None,
    start: Path | None = None,
) -> Aws:
    """A connection to the endpoint and account that the AWS SDK finds.

    ``region``, ``profile`` and ``endpoint`` (the URL of Step Functions) come before the SDK's own; ``role`` is the
    ARN of a role of the account.  An endpoint that is not AWS's needs neither region nor credentials: the region
    is that of the project of ``start``, or of the current directory.  Raises ``ProjectError`` where boto3 is not
    installed, ``AwsError`` for an unknown profile or region, and where AWS needs what is missing.
    """
    from importlib.util import find_spec

    if find_spec("boto3") is None:
        raise ProjectError('this command needs boto3: pip install "asl-engine[aws]"')
    with explained("set up the AWS SDK"):
        if endpoint is not None and not is_url(endpoint):
            raise AwsError(Parameter("endpoint_url", endpoint), ": it is a URL, as in http://127.0.0.1:8083")
        session = new_session(region_name=region, profile_name=profile)
        chosen = region or configured_region(session)
        url = endpoint or _configured_endpoint(session)
        if not is_url(url):
            raise AwsError(
                f"Step Functions cannot be at {clean(url)!r}: set AWS_ENDPOINT_URL_SFN to a URL, or to nothing"
            )
        if is_aws(url):
            _check_region(session, chosen)
        if is_loopback(url):
            _without_metadata(session)
        found = session.get_credentials() is not None
    if is_aws(url) and not found:
        raise AwsError(f"there are no AWS credentials: {_NO_CREDENTIALS}")
    return Aws(
        session,
        chosen or _project(start).region,
        role,
        profile=profile,
        endpoint=endpoint,
        credentials=None if found else ANY_CREDENTIALS,
        start=start,
    )


def _configured_endpoint(session: Any) -> str:
    """Where the AWS SDK finds Step Functions, asked without the region and the credentials that may be missing."""
    url: str = session.client("stepfunctions", region_name=_ANY_REGION, **ANY_CREDENTIALS).meta.endpoint_url
    return url


def _project(start: Path | None) -> Project:
    from asl_engine.project.lookup import project_of

    return project_of(start or Path.cwd())


def _without_metadata(session: Any) -> None:
    """Ask no metadata service for the credentials of a virtual machine: it is waited for where there is none."""
    resolver = session._session.get_component("credential_provider")  # noqa: SLF001  boto3 has no other way to it
    resolver.remove("iam-role")


def new_session(**settings: str | None) -> Any:
    import boto3

    return boto3.Session(**settings)


def _check_region(session: Any, region: str | None) -> None:
    """A region that the SDK has not heard of may be new; one that cannot be a region's name is a mistake."""
    from difflib import get_close_matches

    if not region:
        raise AwsError(
            "no AWS region is known: give ",
            Parameter("region"),
            ", or set AWS_REGION, or `region` of [tool.asl.deploy]",
        )
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
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise _refused(doing, error) from error
    except ResponseParserError as error:
        raise AwsError(f"cannot {doing}: what answers at this endpoint is not that service") from error
    except (HTTPClientError, ConnectionError) as error:
        raise AwsError(f"cannot {doing}: {clean(_no_answer(error))}; {AGAIN}") from error
    except BotoCoreError as error:
        raise AwsError(f"cannot {doing}: {clean(_sdk_error(error))}") from error
    except ValueError as error:
        if not str(error).startswith(_NO_URL):  # AWS_ENDPOINT_URL is none
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
