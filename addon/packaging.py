"""`build.py package`: the extension as a zip that Blender installs, built and checked by Blender's own tool.

The slim zip holds the tracked files that the manifest's exclude patterns leave.  A bundle is the same tree plus wheels/, the worker's
packages for one platform and one Python as plain files.  They are never named in the manifest's `wheels`: Blender refuses a whole
extension that names a compiled wheel for another Python.  A developer's tool: it is not in the zip itself.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

from .wheelhouse import PLATFORM_TAGS, WheelsMissing, collect_wheels

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = "blender_manifest.toml"
BLENDERS_OF_PYTHON: dict[str, tuple[str, str | None]] = {"3.11": ("4.2.0", "5.1.0"), "3.13": ("5.1.0", None)}
"""Python: (first Blender that has it, first Blender that has it no longer)."""
EARLIEST = (1980, 1, 1, 0, 0, 0)  # a zip knows no earlier date; the same for every file, so that the same tree gives the same bytes


class PackageError(Exception):
    """Blender's tool refused the tree or the zip; the text is what it said."""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("build.py package", description="The extension as a zip; what stands after -- goes to pip download.")
    made.add_argument("--bundle", action="store_true", help="also zips that carry the worker's packages, for machines without a network")
    made.add_argument("--platform", action="append", choices=tuple(PLATFORM_TAGS), help="bundle for this one only (may be repeated)")
    made.add_argument("--python", action="append", choices=tuple(BLENDERS_OF_PYTHON), help="bundle for Blenders with this Python only")
    made.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR", help="where the zips go (default: dist)")
    return made


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 built, 1 where Blender's tool refuses it or no bundle at all could be made."""
    cut = list(arguments).index("--") if "--" in arguments else len(arguments)
    ours, for_pip = arguments[:cut], arguments[cut + 1 :]
    chosen = parser().parse_args(ours)
    out = chosen.out.resolve()
    try:
        slim = build_slim(ROOT, out)
        print(described(slim), flush=True)
        if not chosen.bundle:
            return 0
        made = [
            build_bundle(slim, platform, python, (ROOT / "core" / "requirements.txt").read_text(encoding="utf-8"), out, for_pip)
            for python in chosen.python or BLENDERS_OF_PYTHON
            for platform in chosen.platform or PLATFORM_TAGS
        ]
    except PackageError as problem:
        print(f"build.py package: {problem}", file=sys.stderr)
        return 1
    return 0 if any(made) else 1


def described(path: Path) -> str:
    """Where the zip lies and how large it is, for people."""
    return f"{path} ({path.stat().st_size / 1e6:.1f} MB)"


# --- Blender's own tool ----------------------------------------------------------------------------------------------


def blender_scripts() -> Path:
    """The scripts folder inside the installed bpy, found without importing it.  Raises PackageError where bpy is not installed."""
    found = importlib.util.find_spec("bpy")
    for place in (found.submodule_search_locations or []) if found else []:
        for above in (Path(place), *Path(place).parents[:4]):
            for scripts in (above, *sorted(above.glob("*/scripts"))):
                if (scripts / "addons_core/bl_pkg/cli/blender_ext.py").is_file():
                    return scripts
    raise PackageError("Blender's extension tool is not in this environment; it comes with bpy.")


def run_tool(command: Sequence[str]) -> None:
    """Call `blender_ext` with the tags checked too.  Raises PackageError with its words where it refuses."""
    scripts = blender_scripts()
    tags = scripts / "modules/_bpy_internal/extensions/tags.py"
    tool = [sys.executable, str(scripts / "addons_core/bl_pkg/cli/blender_ext.py"), command[0], f"--valid-tags={tags}", *command[1:]]
    answer = subprocess.run(tool, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if answer.returncode != 0:
        raise PackageError(f"Blender's tool refuses to {command[0]}:\n{answer.stdout.strip()}")


def zip_tree(tree: Path, path: Path) -> None:
    """Validate `tree`, build it with Blender's tool, even it out and validate the zip; `path` appears only when all of that went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".package-") as folder:
        raw, even = Path(folder) / "raw.zip", Path(folder) / path.name
        run_tool(["validate", str(tree)])
        run_tool(["build", "--source-dir", str(tree), "--output-filepath", str(raw)])
        even_out(raw, even)
        run_tool(["validate", str(even)])
        even.replace(path)


def even_out(raw: Path, even: Path) -> None:
    """The same files sorted, with one date and one mode: Blender's tool takes them in the order and with the dates of the disk."""
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(even, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for found in sorted(old.infolist(), key=lambda item: item.filename):
            entry = zipfile.ZipInfo(found.filename, EARLIEST)
            entry.compress_type, entry.file_size, entry.create_system = found.compress_type, found.file_size, 3
            entry.external_attr = 0o100644 << 16
            with old.open(found) as source, new.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 2**20)


# --- the slim zip ----------------------------------------------------------------------------------------------------


def build_slim(root: Path, out: Path) -> Path:
    """out/imago-VERSION.zip from the checkout at `root`.  Raises PackageError."""
    version = tomllib.loads((root / MANIFEST).read_text(encoding="utf-8"))["version"]
    path = out / f"imago-{version}.zip"
    names = tracked_files(root)
    if names is None:  # a source archive: the manifest's patterns alone say what goes in
        zip_tree(root, path)
        return path
    with tempfile.TemporaryDirectory(prefix="imago-package-") as folder:
        for name in names:
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, Path(folder) / name)
        zip_tree(Path(folder), path)
    return path


def tracked_files(root: Path) -> list[str] | None:
    """What git tracks at `root` and is on the disk, None where that is no checkout; says which modules git does not know yet."""
    if not (root / ".git").exists():
        return None
    listed = [_git(root, "ls-files", "-z"), _git(root, "ls-files", "-z", "--others", "--exclude-standard", "addon", "core", "weights")]
    if None in listed:
        return None
    tracked, unknown = ((text or "").rstrip("\0").split("\0") for text in listed)
    if unknown != [""]:
        print("build.py package: left out, since git does not track them: " + ", ".join(unknown), file=sys.stderr, flush=True)
    return [name for name in tracked if (root / name).is_file()]


def _git(root: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(["git", *arguments], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return None
    return answer.stdout if answer.returncode == 0 else None


# --- bundles ---------------------------------------------------------------------------------------------------------


def build_bundle(slim: Path, platform: str, python: str, requirements: str, out: Path, for_pip: Sequence[str]) -> Path | None:
    """The slim zip's tree plus wheels/ for one platform and Python; None, said by name, where its wheels cannot be had.

    Args:
        requirements: text of a requirements file; its environment markers are judged for the target.
        for_pip: further options of `pip download`, such as an index that has smaller builds of torch.
    Raises:
        PackageError: Blender's tool refuses the tree.
    """
    path = out / f"{slim.stem}-{platform}-py{python.replace('.', '')}.zip"
    with tempfile.TemporaryDirectory(prefix="imago-bundle-") as folder:
        tree = Path(folder) / "tree"
        with zipfile.ZipFile(slim) as archive:
            archive.extractall(tree)
        try:
            collect_wheels(requirements, platform, python, tree / "wheels", for_pip)
        except WheelsMissing as problem:
            path.unlink(missing_ok=True)  # an older one would pass for this one
            print(f"build.py package: no bundle for {platform} with Python {python}: {problem}", file=sys.stderr, flush=True)
            return None
        manifest = tree / MANIFEST
        manifest.write_text(narrowed(manifest.read_text(encoding="utf-8"), platform, python), encoding="utf-8")
        zip_tree(tree, path)
    print(described(path), flush=True)
    return path


def narrowed(manifest: str, platform: str, python: str) -> str:
    """The manifest's text for a bundle: one platform, and only the Blenders that have this Python."""
    first, first_without = BLENDERS_OF_PYTHON[python]
    lines = [f'blender_version_min = "{first}"', f'platforms = ["{platform}"]']
    if first_without is not None:
        lines.append(f'blender_version_max = "{first_without}"')
    text, count = re.subn(r"^blender_version_min = .*$", "\n".join(lines), manifest, flags=re.M)
    if count != 1:
        raise PackageError("the manifest has no line of its own for blender_version_min.")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
