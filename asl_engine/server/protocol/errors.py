"""The errors of the API, worded as AWS words them."""

from __future__ import annotations

__all__ = ["ApiError", "conflict", "does_not_exist", "invalid_arn", "invalid_token", "not_found", "quota_exceeded"]


class ApiError(Exception):
    """An answer that is an error: ``code`` names its shape, ``members`` is what that has besides a message."""

    def __init__(self, code: str, message: str, status: int = 400, **members: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        self.members = members


def invalid_arn(reason: str) -> ApiError:
    return ApiError("InvalidArn", f"Invalid Arn: '{reason}'")


def invalid_token(reason: str) -> ApiError:
    return ApiError("InvalidToken", f"Invalid Token: '{reason}'")


def does_not_exist(what: str, arn: str) -> ApiError:
    """``what`` is ``State Machine`` or ``Execution``."""
    return ApiError(f"{what.replace(' ', '')}DoesNotExist", f"{what} Does Not Exist: '{arn}'")


def not_found(arn: str) -> ApiError:
    return ApiError("ResourceNotFound", f"Resource not found: '{arn}'", resourceName=arn)


def conflict(message: str) -> ApiError:
    return ApiError("ConflictException", message, 409)


def quota_exceeded(message: str) -> ApiError:
    return ApiError("ServiceQuotaExceededException", message, 402)
