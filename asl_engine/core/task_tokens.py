"""Task tokens: what names a task to whoever is to answer for it.

A token holds the execution's ARN and the key of the attempt, signed with the execution's own random
salt.  Nothing has to be stored for it: whoever knows the execution can make it again and compare.  It
survives restarts, since the salt is in the log; and it names nothing but a task that is looked up.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

__all__ = ["MAX_TOKEN_LENGTH", "SALT_BYTES", "TaskName", "is_genuine", "task_named", "task_token"]

MAX_TOKEN_LENGTH = 2048
SALT_BYTES = 16  # of the random text that an execution begins with
VERSION = b"\x01"
KEY_BYTES = 8
SIGNATURE_BYTES = 24


class TaskName(NamedTuple):
    """What a token names: an execution by its ARN, and the key of one of its tasks."""

    execution: str
    task: int


def task_token(salt: str, execution: str, task: int) -> str:
    """The token of a task: URL-safe Base64, shorter than ``MAX_TOKEN_LENGTH`` for every ARN there can be.

    It begins with a letter: a command line takes what begins with a dash for an option.
    """
    from hashlib import blake2b

    named = task.to_bytes(KEY_BYTES, "big") + execution.encode()
    signature = blake2b(named, key=salt.encode(), digest_size=SIGNATURE_BYTES).digest()
    return urlsafe_b64encode(VERSION + signature + named).decode()


def task_named(token: str) -> TaskName | None:
    """What a token names, genuine or not; None for a text that is no token."""
    try:
        content = urlsafe_b64decode(token.encode("ascii"))
        named = content[1 + SIGNATURE_BYTES :]
        if content[:1] != VERSION or len(named) <= KEY_BYTES:
            return None
        return TaskName(named[KEY_BYTES:].decode(), int.from_bytes(named[:KEY_BYTES], "big"))
    except ValueError:  # not ASCII, not Base64, not UTF-8
        return None


def is_genuine(token: str, salt: str) -> bool:
    """Whether the execution with this salt has given out the token."""
    from hmac import compare_digest

    name = task_named(token)
    return name is not None and compare_digest(task_token(salt, *name), token)
