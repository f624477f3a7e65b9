"""The worker's packages as wheels for a machine that is not this one: another platform, another Python.

`pip download` picks files by the target's tags but judges environment markers (`; python_version < "3.12"`) by the machine it runs on, and
so would bring Linux-only packages to a Windows bundle.  Hence only the choice of one file is pip's; which packages are needed is worked
out here, from each wheel's own metadata.  A developer's tool, part of `build.py package --bundle`; it is not in the zip.
"""

from __future__ import annotations

import email
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

_GLIBC = ("2_28", "2_27", "2_26", "2_24", "2_17", "2_12", "2_5")
PLATFORM_TAGS: dict[str, tuple[str, ...]] = {
    "linux-x64": (*(f"manylinux_{number}_x86_64" for number in _GLIBC), "manylinux2014_x86_64", "manylinux2010_x86_64", "linux_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_14_0_arm64", "macosx_14_0_universal2"),  # pip adds the older ones itself
}
"""Blender's name of a platform: the tags of the wheels that run there."""
_MARKERS = {
    "linux-x64": {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    "windows-x64": {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
    "macos-arm64": {"os_name": "posix", "sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
}
MOST_ROUNDS = 20  # torch's deepest chain of packages is five; more than this is a circle of requirements that cannot be met


class WheelsMissing(Exception):
    """No set of wheels for this platform and Python; the text names the package and what pip said."""


@dataclass
class Wanted:
    """One package: what all that need it ask of its version, and the optional parts they ask for."""

    versions: SpecifierSet = field(default_factory=SpecifierSet)
    extras: set[str] = field(default_factory=set)


def collect_wheels(requirements: str, platform: str, python: str, folder: Path, for_pip: Sequence[str] = ()) -> None:
    """Fill `folder` with exactly the wheels that `requirements` need on the target, dependencies included.

    Args:
        requirements: text of a requirements file without -r lines.
        platform: a key of PLATFORM_TAGS.
        python: "3.11".
        for_pip: further options of `pip download`.
    Raises:
        WheelsMissing: a wheel cannot be had, or the versions asked for exclude each other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    markers = target_markers(platform, python)
    roots = needed(requirements.splitlines(), markers)
    for _ in range(MOST_ROUNDS):
        here = wheels_in(folder)
        wanted = walk(roots, here, markers)
        fits = {name: name in here and asked.versions.contains(here[name][0], prereleases=True) for name, asked in wanted.items()}
        for name, (_, path) in here.items():
            if not fits.get(name, False):
                path.unlink()
        if all(fits.values()):
            return
        download([f"{name}{wanted[name].versions}" for name, fine in fits.items() if not fine], platform, python, folder, for_pip)
    raise WheelsMissing("the packages ask for versions of each other that cannot be had together.")


def target_markers(platform: str, python: str) -> dict[str, str]:
    """The values of environment markers on the target."""
    same = {"implementation_name": "cpython", "platform_python_implementation": "CPython", "platform_release": "", "platform_version": ""}
    full = python + ".0"
    return {**same, **_MARKERS[platform], "python_version": python, "python_full_version": full, "implementation_version": full}


def needed(lines: Sequence[str], markers: dict[str, str], extras: Sequence[str] = ()) -> list[Requirement]:
    """Those of the requirement lines that hold on the target, for a package asked for with these extras."""
    found = []
    for line in lines:
        text = line.split(" #")[0].strip()
        if not text or text.startswith("#"):
            continue
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({**markers, "extra": extra}) for extra in ("", *extras)):
            found.append(requirement)
    return found


def wheels_in(folder: Path) -> dict[str, tuple[str, Path]]:
    """{canonical name: (version, file)} of the wheels in a folder."""
    found: dict[str, tuple[str, Path]] = {}
    for path in sorted(folder.glob("*.whl")):
        name, version, _, _ = parse_wheel_filename(path.name)
        found[name] = (str(version), path)
    return found


def walk(roots: Sequence[Requirement], here: dict[str, tuple[str, Path]], markers: dict[str, str]) -> dict[str, Wanted]:
    """Every package that the roots lead to by way of the wheels that are here, with what is asked of it."""
    wanted: dict[str, Wanted] = {}
    queue = list(roots)
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        first_time = name not in wanted
        asked = wanted.setdefault(name, Wanted())
        asked.versions &= requirement.specifier
        if name in here and (first_time or requirement.extras - asked.extras):
            asked.extras |= requirement.extras
            queue += needed(requires(here[name][1]), markers, sorted(asked.extras))
    return wanted


def requires(wheel: Path) -> list[str]:
    """The requirement lines in a wheel's metadata."""
    with zipfile.ZipFile(wheel) as archive:
        inside = next(name for name in archive.namelist() if name.count("/") == 1 and name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(inside)).get_all("Requires-Dist") or []


def download(requirements: Sequence[str], platform: str, python: str, folder: Path, for_pip: Sequence[str]) -> None:
    """One wheel of each into `folder`, without dependencies.  Raises WheelsMissing with pip's own reason."""
    tags = [part for tag in PLATFORM_TAGS[platform] for part in ("--platform", tag)]
    target = ["--only-binary=:all:", "--no-deps", *tags, "--python-version", python, "--implementation", "cp"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", str(folder), *target]
    answer = subprocess.run([*command, *for_pip, *requirements], capture_output=True, text=True)
    if answer.returncode != 0:
        lines = [line for line in answer.stderr.splitlines() if line.startswith("ERROR")] or answer.stderr.splitlines() or ["no reason"]
        raise WheelsMissing(f"pip says: {lines[-1].strip()}")
