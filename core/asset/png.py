"""8-bit PNG files, written on all processors: a texture is written several times a car, and one thread of deflate takes longest of all.

PNG: ISO/IEC 15948; its deflate stream may be a chain of pieces that were compressed apart (as pigz does).
"""

from __future__ import annotations

import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

COLOUR_TYPE = {1: 0, 3: 2, 4: 6}  # by channels: grey, RGB, RGB with straight alpha
FILTER_UP = 2  # each row less the one above, which smooth textures like best, and numpy does at once
LEVEL = 1  # ten times faster than the default, a tenth more bytes
PIECE_BYTES = 2**20
ZLIB_HEADER = b"\x78\x01"


def write_png(picture: np.ndarray, path: Path) -> None:
    """Write (H, W), (H, W, 3) or (H, W, 4) uint8, row 0 on top."""
    path.write_bytes(png_bytes(picture))


def png_bytes(picture: np.ndarray) -> bytes:
    """The file's content; see write_png."""
    height, width, channels = picture.shape if picture.ndim == 3 else (*picture.shape, 1)
    rows = np.empty((height, 1 + width * channels), np.uint8)
    flat = np.ascontiguousarray(picture, np.uint8).reshape(height, -1)
    rows[:, 0], rows[0, 1:] = FILTER_UP, flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, COLOUR_TYPE[channels], 0, 0, 0)
    return b"".join([b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", header), _chunk(b"IDAT", _deflated(rows.reshape(-1))), _chunk(b"IEND", b"")])


def _deflated(content: np.ndarray) -> bytes:
    """zlib stream of (N,) uint8."""
    starts = range(0, len(content), PIECE_BYTES)
    pieces = [content[start : start + PIECE_BYTES] for start in starts]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(_piece, pieces, [start == starts[-1] for start in starts]))
    return b"".join([ZLIB_HEADER, *done, struct.pack(">I", zlib.adler32(content.data))])


def _piece(content: np.ndarray, is_last: bool) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return packer.compress(content.data) + packer.flush(zlib.Z_FINISH if is_last else zlib.Z_SYNC_FLUSH)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return b"".join([struct.pack(">I", len(content)), kind, content, struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))])
