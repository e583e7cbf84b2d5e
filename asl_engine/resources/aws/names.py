"""The names that Step Functions gives to services, actions, fields and errors.

``aws-sdk`` resources and their data are named as in the AWS SDK for Java 2.x, which derives every name
from the same service models that botocore has.  The rules are those of its code generator, so that
``DBInstanceIdentifier`` is ``DbInstanceIdentifier`` and the service ``SFN`` raises ``Sfn.…Exception``.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

__all__ = [
    "client_name",
    "exception_name",
    "field_name",
    "has_service",
    "member_name",
    "method_name",
    "operation_name",
    "regions",
    "service_model",
    "services",
]

# Each pattern marks a boundary between two words; they apply in this order.
_BOUNDARIES = (
    (r"[^A-Za-z0-9]+", " "),
    (r"([^a-z]{2,})v([0-9]+)", r"\1 v\2 "),
    (r"([^A-Z]{2,})V([0-9]+)", r"\1 V\2 "),
    (r"(?<=[a-z])(?=[A-Z][a-zA-Z0-9])", " "),
    (r"([A-Z]+)([A-Z][a-z])", r"\1 \2"),
    (r"([0-9])([a-zA-Z])", r"\1 \2"),
)
_SERVICE_ID = re.compile(r'"serviceId"\s*:\s*"([^"]+)"')
_HEAD_CHARACTERS = 4000  # the head of a service model: its metadata come first


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that no Java member can be called: the SDK's code generator puts "Value" behind them, in any case.
_KEYWORDS = _words(
    """
    abstract assert boolean break byte case catch char class const continue default do double else enum extends
    false final finally float for goto if implements import instanceof int interface long native new null
    package private protected public return short static strictfp super switch synchronized this throw throws
    transient true try void volatile while
    """
)
# The methods that every structure of the SDK has.
_METHODS = _words(
    """
    builder equals finalize getClass hashCode notify notifyAll overrideConfiguration sdkFields sdkHttpResponse
    toBuilder toString wait
    """
)
# What the SDK calls otherwise by hand, by structure and member: ``emitPropertyName`` of its customization.config.
_CUSTOMISED = {
    ("AddPermissionInput", "AWSAccountId"): "AwsAccountIds",  # SNS
    ("AddPermissionInput", "ActionName"): "ActionNames",
    ("AttributeValue", "NULL"): "Nul",  # DynamoDB
    ("FpgaImage", "Public"): "IsPublic",  # EC2
    ("Image", "Public"): "PublicLaunchPermissions",
}


def pascal(text: str) -> str:
    """``DynamoDB`` -> ``DynamoDb``, ``ConditionalCheckFailed`` -> the same."""
    for pattern, replacement in _BOUNDARIES:
        text = re.sub(pattern, replacement, text)
    return "".join(word[0].upper() + word[1:].lower() for word in text.split())


def client_name(service_id: str) -> str:
    """The word before the dot of the service's errors: ``Database Migration Service`` -> ``DatabaseMigration``."""
    name = pascal(service_id)
    for leading in ("Amazon", "Aws"):
        name = name.removeprefix(leading)
    return name.removesuffix("Service")


def exception_name(shape: str) -> str:
    """The class of an error shape: ``NoSuchKey`` -> ``NoSuchKeyException``."""
    if shape.endswith("Fault"):
        return f"{pascal(shape.removesuffix('Fault'))}Exception"
    return pascal(shape) if shape.endswith("Exception") else f"{pascal(shape)}Exception"


def field_name(member: str, structure: str = "") -> str:
    """A field of an ``aws-sdk`` task: ``DBName`` -> ``DbName``, ``jobName`` -> ``JobName``; ``ETag`` stays.

    What Java cannot call so has another name: ``equals`` -> ``EqualsValue``.
    """
    custom = _CUSTOMISED.get((structure, member))
    if custom is not None:
        return custom
    word = _uncapitalised(member)
    if word in _METHODS or word.lower() in _KEYWORDS:
        word = _uncapitalised(f"{word}Value")
    return word[:1].upper() + word[1:]


def _uncapitalised(text: str) -> str:
    """Lower case up to the last capital of those at the beginning: ``DBName`` -> ``dbName``."""
    end = 1
    while end < len(text) and text[end].isupper() and not text[end + 1 : end + 2].islower():
        end += 1
    return text[:end].lower() + text[end:]


def member_name(member: str, structure: str = "") -> str:
    """A field of an optimised integration: as the API has it, with a capital at its beginning."""
    del structure
    return member[:1].upper() + member[1:]


def method_name(operation: str) -> str:
    """The action of an operation: ``GetItem`` -> ``getItem``."""
    return operation[:1].lower() + operation[1:]


@cache
def services() -> dict[str, str]:
    """botocore's names of services by Step Functions' names; empty where botocore is not installed."""
    try:
        import botocore
    except ImportError:
        return {}
    found: dict[str, str] = {}
    for folder in sorted((Path(botocore.__file__).parent / "data").iterdir()):
        models = sorted(folder.glob("*/service-2.json*"))
        if models:
            identifier = _SERVICE_ID.search(_head(models[-1]))
            if identifier is not None:
                found[client_name(identifier[1]).lower()] = folder.name
    return found


def regions() -> list[str]:
    """The regions of AWS that botocore knows, of all partitions."""
    from botocore.loaders import Loader

    partitions = Loader().load_data("endpoints")["partitions"]
    return [region for partition in partitions for region in partition["regions"]]


def has_service(service: str) -> bool:
    """Whether botocore has a service, by its own name."""
    return service in services().values()


def _head(model: Path) -> str:
    if model.suffix != ".gz":
        with model.open(encoding="utf-8") as file:
            return file.read(_HEAD_CHARACTERS)
    import gzip

    with gzip.open(model, "rt", encoding="utf-8") as packed:
        return packed.read(_HEAD_CHARACTERS)


@cache
def service_model(service: str) -> Any:
    """botocore's model of a service, by botocore's name."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def operation_name(service: str, action: str) -> str | None:
    """The operation that an action names, None if the service has none of that name."""
    wanted = action[:1].upper() + action[1:]
    known = service_model(service).operation_names
    if wanted in known and action[:1].islower():
        return wanted
    return next((name for name in known if method_name(name) == action), None)
