"""An object's bytes as text, piece by piece: decompressed, decoded, with only one piece in memory."""

from __future__ import annotations

import codecs
import io
import zlib
from gzip import BadGzipFile, GzipFile
from typing import TYPE_CHECKING, BinaryIO, Final

from asl_engine.datasets.faults import DataFault
from asl_engine.datasets.item import MAX_OBJECT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["decompressed", "pieces", "read_bytes", "texts"]

PIECE_BYTES: Final = 256 * 1024
BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
# No JSON, CSV or Parquet begins like this, so the first bytes are more reliable than a name.
GZIP: Final = b"\x1f\x8b"
ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"


def decompressed(stream: BinaryIO) -> BinaryIO:
    """The stream, decompressed if it is compressed with gzip or Zstandard.

    The stream is at its beginning, and is buffered or seekable.
    """
    if isinstance(stream, io.BufferedReader):
        first = stream.peek(4)[:4]
    else:
        first = stream.read(4)
        stream.seek(0)
    if first.startswith(GZIP):
        return GzipFile(fileobj=stream)  # type: ignore[return-value]  # the library has the protocol
    if first == ZSTANDARD:
        return _zstandard(stream)
    return stream


def _zstandard(stream: BinaryIO) -> BinaryIO:
    try:
        from compression.zstd import ZstdFile  # type: ignore[import-not-found]  # Python 3.14
    except ImportError:
        raise DataFault(
            "it is compressed with Zstandard, which needs Python 3.14: compress it with gzip"
        ) from None
    return ZstdFile(stream)  # type: ignore[no-any-return]  # the library has no types


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The decompressed bytes.  Raises ``DataFault`` if the archive is broken, or too large."""
    source = decompressed(stream)
    total = 0
    while True:
        try:
            piece = source.read(PIECE_BYTES)
        except (BadGzipFile, EOFError, zlib.error) as error:
            raise DataFault(f"it cannot be decompressed behind byte {total}: {error}") from None
        if not piece:
            return
        total += len(piece)
        if total > MAX_OBJECT_BYTES:
            raise DataFault(f"it has more than {MAX_OBJECT_BYTES} bytes")
        yield piece


def texts(stream: BinaryIO) -> Iterator[str]:
    """The text in pieces, without a byte order mark.  Raises ``DataFault`` if it is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = 0
    first = True
    for piece in pieces(stream):
        try:
            text = decoder.decode(piece)
        except UnicodeDecodeError as error:
            raise _not_utf8(error, read, piece) from None
        read += len(piece)
        if first and text:
            text, first = text.removeprefix(BYTE_ORDER_MARK), False
        if text:
            yield text
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(error, read, b"") from None


def _not_utf8(error: UnicodeDecodeError, read: int, piece: bytes) -> DataFault:
    # The decoder's input begins with the bytes left over from the previous piece.
    at = read - (len(error.object) - len(piece)) + error.start
    shown = error.object[error.start : error.start + 4].hex(" ")
    return DataFault(f"it is not UTF-8 text at byte {at} ({shown}): save it as UTF-8")


def read_bytes(stream: BinaryIO, most: int) -> bytes:
    """All of a small object, decompressed.  Raises ``DataFault`` if it has more than ``most`` bytes."""
    whole = bytearray()
    for piece in pieces(stream):
        whole += piece
        if len(whole) > most:
            raise DataFault(f"it has more than {most} bytes")
    return bytes(whole)
