"""The rules of the layout: who may import whom, and how large a file may grow."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "core").rglob("*.py"))
ADDON = sorted((ROOT / "addon").rglob("*.py"))
MOST_LINES, MOST_FUNCTION_LINES = 400, 80
MOST_REPOSITORY_BYTES = 60 * 2**20
BLENDER = {"bpy", "bmesh", "mathutils", "bpy_extras", "gpu", "blf", "idprop", "aud", "freestyle"}


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> list[tuple[str, int]]:
    """(module, level) of every import statement, also of those inside functions."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.module or "", node.level))
    return found


@pytest.mark.parametrize("path", CORE, ids=short)
def test_core_imports_only_from_inside_itself_and_never_bpy(path):
    depth = len(path.relative_to(ROOT / "core").parts)  # as many dots lead to core itself
    for module, level in imports(path):
        assert level <= depth, f"{'.' * level}{module} leaves core"
        if level == 0:
            assert module.split(".")[0] not in BLENDER | {"imago", "addon", "core"}, module


@pytest.mark.parametrize("path", ADDON, ids=short)
def test_addon_never_imports_torch(path):
    assert not [module for module, level in imports(path) if level == 0 and module.split(".")[0] == "torch"]


@pytest.mark.slow
def test_addon_loads_without_torch():
    """Importing every module of the add-on must not bring torch in by way of core: Blender's Python has none."""
    names = [".".join(("imago", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__") for path in ADDON]
    code = f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\nassert 'torch' not in sys.modules, 'torch came in'"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("path", [ROOT / "build.py", *CORE, *ADDON], ids=short)
def test_sizes(path):
    text = path.read_text()
    assert text.count("\n") <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or node.lineno) - node.lineno + 1 <= MOST_FUNCTION_LINES, node.name


def test_no_utils():
    assert not [path for path in [*CORE, *ADDON] if path.stem in ("utils", "util", "helpers", "common", "misc")]


def test_manifest():
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text())
    assert manifest["id"] == "imago" and manifest["type"] == "add-on" and manifest["blender_version_min"] == "4.2.0"
    assert manifest["license"] == ["SPDX:GPL-3.0-or-later"] and len(manifest["tagline"]) <= 64
    assert "files" in manifest["permissions"] and "wheels" not in manifest
    assert (ROOT / "__init__.py").is_file(), "Blender wants it beside the manifest"


def tracked() -> list[Path]:
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if answer.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in answer.stdout.split("\0") if name]


def test_repository_stays_small():
    assert sum(path.stat().st_size for path in tracked() if path.is_file()) < MOST_REPOSITORY_BYTES


def test_nothing_names_a_place_of_one_machine():
    forbidden = ["/" + name + "/" for name in ("work", "root", "home", "Users")]
    for path in tracked():
        if path.suffix in (".py", ".md", ".toml", ".json", ".txt") and path.is_file() and "tests/data" not in path.as_posix():
            text = path.read_text()
            assert not [name for name in forbidden if name in text], path
