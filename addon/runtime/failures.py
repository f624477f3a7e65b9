"""The sentence for each way in which a set-up can fail; docs/errors_set_up.md lists them with their tests."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass
from typing import Any

from ...core.errors import Trouble
from ...core.messages import Problem
from .environment import NEWEST_PYTHON, OLDEST_PYTHON

SUPPORTED = f"{OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} to {NEWEST_PYTHON[0]}.{NEWEST_PYTHON[1]}"
OFFLINE = "Blender may not go online: allow it in Preferences > System > Network > Allow Online Access, then press Set up again."
NO_SPACE = re.compile(
    r"No space left on device|Errno 28\b|WinError 112\b|Disk quota exceeded|Errno 122\b|not enough space on the disk", re.I
)
NO_RIGHT = re.compile(r"Permission denied|Errno 13\b|WinError 5\b|Read-only file system|Errno 30\b|Access is denied", re.I)
PROGRESS_LINE = re.compile(r"^\s*(Collecting|Downloading|Using cached|Processing) ")


@dataclass(frozen=True)
class Situation:
    """What the sentences name: the folder, the Python that makes the environment, and where the packages come from."""

    folder: str
    python: str
    chosen: bool
    bundled: bool
    version: str = "?"  # of the Python, once it is known

    @property
    def whose(self) -> str:
        return f"the chosen Python ({self.python})" if self.chosen else f"Blender's own Python ({self.python})"


# Looked for in this order in pip's last lines: the more special cause first, since the general ones appear beside it.
_PIP_CAUSES: list[tuple[str, Trouble, str]] = [
    (
        # Never a bare 407: it is also the milliseconds of one in a thousand of pip's lines.
        r"Proxy Authentication Required|(Tunnel connection failed:|HTTP error|status code) 407\b|\b407 Client Error",
        Trouble.PROXY,
        "The proxy wants a name and a password: set HTTPS_PROXY to http://NAME:PASSWORD@HOST:PORT before Blender starts, "
        "then press Set up again.",
    ),
    (
        r"ProxyError|Cannot connect to proxy|Tunnel connection failed|SOCKSHTTPSConnection|Missing dependencies for SOCKS",
        Trouble.PROXY,
        "The proxy could not be used: check HTTPS_PROXY and pip's proxy setting, or unset them, then press Set up again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSLCertVerificationError|SSLError",
        Trouble.NO_NETWORK,
        "The secure connection was refused because a certificate could not be verified: check the date of this computer, "
        "and behind a company's firewall set PIP_CERT to the company's certificate file.",
    ),
    (
        r"Name or service not known|Temporary failure in name resolution|getaddrinfo failed|nodename nor servname|NameResolutionError|"
        r"No address associated",
        Trouble.NO_NETWORK,
        "The package index was not found on the network: check that this computer is online, then press Set up again.",
    ),
    (
        r"timed out|ReadTimeout|ConnectTimeout|TimeoutError|incomplete-download|IncompleteRead|Connection reset|Connection aborted|"
        r"RemoteDisconnected|WinError 1005[34]|ProtocolError|Connection broken",
        Trouble.NO_NETWORK,
        "The connection to the package index broke off: press Set up again, what is already downloaded is kept.",
    ),
    (
        r"Connection refused|Errno 111\b|WinError 1006[01]|Network is unreachable|No route to host|NewConnectionError|Failed to establish",
        Trouble.NO_NETWORK,
        "The package index did not answer: check the network and the firewall, then press Set up again.",
    ),
    (
        r"(HTTP error|status code) (40[13]|5\d\d)|\b(40[13]|5\d\d) (Client|Server) Error",  # 404 is usual for an extra index
        Trouble.NO_NETWORK,
        "The package index answered with an error: check the extra index in the preferences and pip's settings, or try again later.",
    ),
]


def of_pip(tail: list[str], situation: Situation, code: int) -> Problem:
    """The problem behind pip's last lines; `code` is how it ended (negative: by a signal)."""
    text, recent = "\n".join(tail), "\n".join(_recent(tail))

    def problem(trouble: Trouble, sentence: str) -> Problem:
        return Problem(trouble, sentence, text)

    if NO_SPACE.search(text):
        return problem(Trouble.DISK_FULL, full_sentence(situation.folder))
    if code == -9 or "MemoryError" in text:
        return problem(Trouble.MEMORY, "The installation ran out of memory: close other programs, then press Set up again.")
    for pattern, trouble, sentence in _PIP_CAUSES:
        if re.search(pattern, recent, re.I):
            return problem(trouble, sentence)
    if "Long Path" in text:
        return problem(
            Trouble.SET_UP_FAILED,
            "Windows refuses file names of more than 260 signs: enable long paths in Windows (its name there is LongPathsEnabled), "
            "then press Set up again.",
        )
    if re.search(r"BadZipFile|invalid wheel|\.whl is invalid|Bad CRC|DO NOT MATCH THE HASHES|is not a zip file|zlib.error", text, re.I):
        return problem(Trouble.SET_UP_FAILED, _damaged(text, situation))
    if re.search(r"No matching distribution|is not a supported wheel|Could not find a version|ResolutionImpossible", text):
        return problem(Trouble.SET_UP_FAILED, _no_wheel(text, situation))
    if NO_RIGHT.search(text):
        return problem(Trouble.SET_UP_FAILED, not_writable_sentence(situation.folder))
    return problem(Trouble.SET_UP_FAILED, "Installing the packages failed: press Show the Log for pip's own words, then Set up again.")


def of_failure(kind: str, fields: dict[str, Any], situation: Situation) -> Problem:
    """The problem of what the installer says."""
    tail = [str(line) for line in fields.get("tail", [])]
    if kind == "pip":
        return of_pip(tail, situation, int(fields["code"]))
    text = "\n".join(tail) + str(fields.get("reason", ""))
    if kind in ("venv", "system", "crash") and NO_SPACE.search(text):
        return Problem(Trouble.DISK_FULL, full_sentence(situation.folder), text)
    if kind in ("venv", "system", "crash") and NO_RIGHT.search(text):
        return Problem(Trouble.SET_UP_FAILED, not_writable_sentence(situation.folder), text)
    trouble, sentence = _of_kind(kind, fields, text, situation)
    return Problem(trouble, sentence, text)


def _of_kind(kind: str, fields: dict[str, Any], text: str, situation: Situation) -> tuple[Trouble, str]:
    whose = situation.whose[0].upper() + situation.whose[1:]
    if kind == "no_start":
        return Trouble.PYTHON, f"{whose} does not start: choose another Python {SUPPORTED} in the preferences."
    if kind == "version":
        return Trouble.PYTHON, f"{whose} is version {fields['version']}: choose a Python {SUPPORTED} in the preferences."
    if kind == "venv" and re.search(r"ensurepip is not available|No module named '?(venv|ensurepip)|ensurepip", text):
        return Trouble.NO_VENV, _no_venv(situation)
    if kind == "venv":
        return Trouble.SET_UP_FAILED, f"{whose} could not make an environment: choose another Python {SUPPORTED} in the preferences."
    if kind == "check" and re.search(r"DLL load failed|WinError 126|WinError 1114", text):
        return (
            Trouble.SET_UP_FAILED,
            "A system library of Windows is missing: install the Microsoft Visual C++ Redistributable (x64), then press Set up again.",
        )
    if kind == "check":
        return Trouble.SET_UP_FAILED, "The packages were installed but do not start: press Show the Log for the reason, then Set up again."
    if kind == "busy":
        return Trouble.BUSY, "Another Blender is setting Imago up: wait until it is done."
    return Trouble.SET_UP_FAILED, "The set-up ended unexpectedly: press Set up again, and Show the Log if it happens twice."


def full_sentence(folder: str, needed_bytes: int | None = None, free_bytes: int | None = None) -> str:
    if needed_bytes is None or free_bytes is None:
        return f"The disk is full: make room on the disk of {folder}, then press Set up again."
    found = f"needs {needed_bytes / 1e9:.1f} GB and {free_bytes / 1e9:.1f} GB are free"
    return f"Not enough room on the disk, the set-up {found}: make room on the disk of {folder}, then press Set up again."


def not_writable_sentence(folder: str) -> str:
    return (
        f"The folder {folder} cannot be written: allow writing there, or look whether a virus scanner blocks it, then press Set up again."
    )


def _recent(tail: list[str]) -> list[str]:
    """From the last step that worked on: what went wrong before was overcome."""
    last = max((index for index, line in enumerate(tail) if PROGRESS_LINE.match(line)), default=0)
    return tail[last:]


def _damaged(text: str, situation: Situation) -> str:
    names = re.findall(r"[A-Za-z0-9_.]+-[^\s/\\'\"]+\.whl", text)
    which = f" ({names[-1]})" if names else ""
    if situation.bundled:
        return f"A package inside the extension is damaged{which}: download the zip of Imago again and install it over this one."
    return f"A package arrived damaged{which}: press Set up again."


def _no_wheel(text: str, situation: Situation) -> str:
    name = re.search(r"No matching distribution found for ([^\s;(]+)|requirement ([^\s;(]+)", text)
    package = (name[1] or name[2]) if name else "a package"
    here = f"Python {situation.version} on {machine()}"
    if situation.bundled:
        return f"This zip of Imago has no {package} for {here}: install the zip made for this platform and Python, or the slim one."
    return f"There is no ready-made {package} for {here}: choose another Python ({SUPPORTED}) in the preferences."


def _no_venv(situation: Situation) -> str:
    package = f"python{situation.version}-venv" if situation.version != "?" else "python3-venv"
    advice = f"install it (Debian, Ubuntu: {package}) or " if sys.platform.startswith("linux") else ""
    whose = situation.whose[0].upper() + situation.whose[1:]
    return f"{whose} lacks the venv module: {advice}choose another Python {SUPPORTED} in the preferences."


def machine() -> str:
    """As people call it: Linux x86_64, macOS arm64, Windows AMD64."""
    return f"{platform.system().replace('Darwin', 'macOS')} {platform.machine()}"
