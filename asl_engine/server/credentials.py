"""The access keys that a server knows: in a file as AWS's own tools have it, or in the environment.

    [default]
    aws_access_key_id = ...
    aws_secret_access_key = ...

Each section is a key, whatever its name, so one can be replaced while the other is still in use.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import string
from configparser import ConfigParser
from configparser import Error as IniError
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from asl_engine.errors import InvalidInput, ProjectError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["KEY", "SECRET", "credentials_in", "credentials_of", "is_private", "made_credentials"]

KEY: Final = "ASL_ACCESS_KEY_ID"
SECRET: Final = "ASL_SECRET_ACCESS_KEY"  # noqa: S105  the name of a variable
MIN_SECRET: Final = 16  # characters

_KEY = re.compile(r"[A-Za-z0-9_]{3,128}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def credentials_of(env: Mapping[str, str]) -> dict[str, str]:
    """The secret by the access key id of the environment; empty without one.  Raises ``InvalidInput``."""
    key, secret = env.get(KEY, ""), env.get(SECRET, "")
    if not key and not secret:
        return {}
    for name, value in ((KEY, key), (SECRET, secret)):
        if not value:
            raise InvalidInput(f"{name} is not set: {KEY} and {SECRET} belong together")
    reason = _flaw(key, secret)
    if reason is not None:
        raise InvalidInput(f"{KEY} and {SECRET}: {reason}")
    return {key: secret}


def credentials_in(file: Path) -> dict[str, str]:
    """The secrets of a file by their access key ids.  Raises ``ProjectError``; no message shows a secret."""
    parser = ConfigParser(interpolation=None, default_section="")
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProjectError(f"cannot read the credentials {file}: {error.strerror}") from None
    except (UnicodeDecodeError, IniError):
        raise ProjectError(f"{file}: this is no file of credentials, such as ~/.aws/credentials is one") from None
    found: dict[str, str] = {}
    for name in parser.sections():
        key, secret = (parser[name].get(field, "") for field in ("aws_access_key_id", "aws_secret_access_key"))
        reason = _flaw(key, secret)
        if reason is not None:
            raise ProjectError(f"{file}: [{name}]: {reason}")
        if key in found:
            raise ProjectError(f"{file}: [{name}]: another section has this aws_access_key_id already")
        found[key] = secret
    if not found:
        raise ProjectError(f"{file}: there are no credentials in it: aws_access_key_id and aws_secret_access_key")
    return found


def _flaw(key: str, secret: str) -> str | None:
    if not _KEY.fullmatch(key):
        return "an access key id has 3 to 128 letters, digits and _"
    if len(secret) < MIN_SECRET or not secret.isascii() or not secret.isprintable() or " " in secret:
        return f"a secret access key has at least {MIN_SECRET} characters of ASCII, and no blanks"
    return None


def made_credentials(file: Path) -> bool:
    """Make a file with one key that nobody can guess and only its owner can read; False where there is a file.

    It is there as a whole or not at all: two servers that start together have one key.
    Raises ``ProjectError``.
    """
    if file.exists():
        return False
    letters = string.ascii_uppercase + string.digits
    key = "ASLK" + "".join(secrets.choice(letters) for _ in range(16))
    text = f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secrets.token_urlsafe(30)}\n"
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
                made.write(text)
            _put(draft, file)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError:
        return False
    except OSError as error:
        raise ProjectError(f"cannot write the credentials {file}: {error.strerror}") from None
    return True


def _put(draft: Path, file: Path) -> None:
    """Raises ``FileExistsError`` where somebody was faster."""
    try:
        os.link(draft, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        draft.replace(file)


def is_private(file: Path) -> bool:
    """Whether only its owner may read the file; True where the system does not tell."""
    with suppress(OSError):
        return os.name == "nt" or not file.stat().st_mode & _OTHERS
    return True
