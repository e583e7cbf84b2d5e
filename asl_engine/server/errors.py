"""The errors of the API, worded as AWS words them."""

from __future__ import annotations

__all__ = ["ApiError", "does_not_exist", "invalid_arn", "invalid_token"]


class ApiError(Exception):
    """An answer that is an error: ``code`` is the name of its shape in the service model."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status


def invalid_arn(reason: str) -> ApiError:
    return ApiError("InvalidArn", f"Invalid Arn: '{reason}'")


def invalid_token(reason: str) -> ApiError:
    return ApiError("InvalidToken", f"Invalid Token: '{reason}'")


def does_not_exist(what: str, arn: str) -> ApiError:
    """``what`` is ``State Machine`` or ``Execution``."""
    return ApiError(f"{what.replace(' ', '')}DoesNotExist", f"{what} Does Not Exist: '{arn}'")
