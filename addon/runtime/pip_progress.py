"""How far pip is: the packages and sizes from what it prints, the bytes from the files it writes.

Works with every pip since 22: no progress bar of pip's is needed, so none has to be understood.
Standard library only.
"""

from __future__ import annotations

import os
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

# Typical downloads in MB, until pip names the true size; what is not here is small.  The default index's torch for Linux brings CUDA.
TYPICAL_MB = {
    "torch": 200.0,
    "scipy": 37.0,
    "opencv-python-headless": 48.0,
    "numpy": 17.0,
    "pillow": 6.0,
    "sympy": 6.0,
    "triton": 190.0,
    "nvidia-cublas": 420.0,
    "nvidia-cudnn": 370.0,
    "nvidia-cufft": 210.0,
    "nvidia-cusolver": 200.0,
    "nvidia-nccl": 200.0,
    "nvidia-cusparselt": 170.0,
    "nvidia-cusparse": 150.0,
    "nvidia-cuda-nvrtc": 90.0,
    "nvidia-curand": 60.0,
    "nvidia-nvshmem": 60.0,
    "nvidia-nvjitlink": 40.0,
}
SMALL_MB = 1.0
PIP_FROM01, PIP_TO01 = 0.08, 0.92  # the bar's part that is pip's
DOWNLOAD_SHARE = 0.7  # of pip's time, on a usual line; the rest is unpacking

_COLLECTING = re.compile(r"Collecting ([A-Za-z0-9._-]+)")
_FETCHED = re.compile(r"(?:Downloading|Using cached) (?:\S*/)?([^\s/]+?)-[^\s/-]+-\S*\.whl \(([\d.]+) ?([kMG]?B)\)")
_LOCAL = re.compile(r"Processing (.+?\.whl)\b")
_UNITS = {"B": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


def typical_mb(package: str) -> float:
    """The entry of the package, or of the longest name that it begins with (nvidia-cudnn-cu13)."""
    fitting = [name for name in TYPICAL_MB if package == name or (name.startswith("nvidia-") and package.startswith(name))]
    return TYPICAL_MB[max(fitting, key=len)] if fitting else SMALL_MB


class PipProgress:
    """Fed with pip's lines; asked between them.  `temporary` is the folder pip downloads to, `site` the one it installs to."""

    def __init__(self, temporary: Path, site: Path, requested: list[str], bundled: bool) -> None:
        self._temporary, self._site = temporary, site
        self._expected_mb = {} if bundled else {name.lower(): typical_mb(name.lower()) for name in requested}
        self._download_share = 0.02 if bundled else DOWNLOAD_SHARE
        self._local: list[Path] = []
        self._unpacked_bytes: int | None = None
        self._before_bytes = 0
        self._next_look_s = 0.0
        self._fraction01 = 0.0
        self.stage = "Looking for packages"

    def line(self, text: str) -> None:
        """Take one line of pip's output."""
        if match := _COLLECTING.search(text):
            self._expected_mb.setdefault(_plain(match[1]), typical_mb(_plain(match[1])))
        elif match := _FETCHED.search(text):
            name, size_mb = _plain(match[1]), float(match[2]) * _UNITS[match[3]]
            self._expected_mb[name] = size_mb
            self.stage = f"Downloading {name} ({_size_text(size_mb)})"
        elif "Retrying (" in text:
            self.stage = "The network does not answer, trying again"
        elif match := _LOCAL.search(text):
            self._local.append(Path(match[1]))
        elif text.startswith("Installing collected packages"):
            self._before_bytes = _bytes_below(self._site)
            self._unpacked_bytes = max(1, sum(_unpacked_bytes(wheel) for wheel in self._wheels() + self._local))
            self.stage = f"Installing ({_size_text(self._unpacked_bytes / 1e6)})"
        elif text.startswith("Successfully installed"):
            self._fraction01 = 1.0

    def fraction01(self) -> float:
        """How much of pip's work is done; never falls."""
        if self._unpacked_bytes is None:
            found = self._download_share * min(0.98, self._downloaded_mb() / max(1.0, sum(self._expected_mb.values())))
        else:
            found = self._download_share + (1 - self._download_share) * self._installed01()
        self._fraction01 = max(self._fraction01, found)
        return self._fraction01

    def tell(self, say: Callable[..., None]) -> None:
        """Say where the whole set-up's bar stands."""
        say(stage=self.stage, fraction01=PIP_FROM01 + (PIP_TO01 - PIP_FROM01) * self.fraction01())

    def _wheels(self) -> list[Path]:
        # not rglob, which raises where pip removes a folder under it
        return [Path(parent, name) for parent, _, names in os.walk(self._temporary) for name in names if name.endswith(".whl")]

    def _downloaded_mb(self) -> float:
        return _bytes_below(self._temporary) / 1e6

    def _installed01(self) -> float:
        """Counted in bytes, but seldom enough that the counting costs at most a tenth of the time."""
        now_s = time.monotonic()
        if now_s < self._next_look_s or self._unpacked_bytes is None:
            return 0.0
        share = min(0.98, (_bytes_below(self._site) - self._before_bytes) / self._unpacked_bytes)
        self._next_look_s = time.monotonic() + max(0.5, 10 * (time.monotonic() - now_s))
        return share


def _plain(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def _size_text(size_mb: float) -> str:
    return f"{size_mb / 1000:.1f} GB" if size_mb >= 1000 else f"{max(1.0, size_mb):.0f} MB"


def _unpacked_bytes(wheel: Path) -> int:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile):
        return 0  # pip says itself what is wrong with it


def _bytes_below(folder: Path) -> int:
    """pip renames and removes files while this looks, so what vanishes in between counts nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:
                continue
    return total
