"""The zips: what is in them, that Blender's own tool accepts them, and that a bundle's wheels are those of its platform and Python."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from imago.addon import packaging, wheelhouse

ROOT = Path(__file__).resolve().parent.parent
MOST_SLIM_BYTES = 40_000_000
ALLOWED = re.compile(
    r"__init__\.py|blender_manifest\.toml|LICENSE|README\.md|(addon|core)/.*\.py|core/requirements\.txt|weights/[^/]+\.(md|json|safetensors)"
)
MUST = (
    "__init__.py",
    "blender_manifest.toml",
    "LICENSE",
    "addon/__init__.py",
    "core/pipeline.py",
    "core/requirements.txt",
    "weights/manifest.json",
)


@pytest.fixture(scope="module")
def slim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaging.build_slim(ROOT, tmp_path_factory.mktemp("dist"))


def names_in(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def manifest_in(path: Path) -> dict[str, object]:
    with zipfile.ZipFile(path) as archive:
        return tomllib.loads(archive.read("blender_manifest.toml").decode())


# --- the slim zip ----------------------------------------------------------------------------------------------------


def test_the_slim_zip_holds_what_it_must_and_nothing_else(slim: Path) -> None:
    names = names_in(slim)
    assert set(MUST) <= set(names)
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "weights").glob("*.safetensors")} <= set(names)
    assert not [name for name in names if not ALLOWED.fullmatch(name)]
    assert not {"addon/packaging.py", "addon/wheelhouse.py"} & set(names), "developers' tools, and they import what Blender lacks"
    assert not [name for name in names if "tests" in name.split("/")]


def test_the_slim_zip_is_small_and_accepted_by_blenders_tool(slim: Path) -> None:
    assert slim.stat().st_size < MOST_SLIM_BYTES
    packaging.run_tool(["validate", str(slim)])
    manifest = manifest_in(slim)
    assert slim.name == f"imago-{manifest['version']}.zip" and "wheels" not in manifest and "platforms" not in manifest


def test_the_same_tree_gives_the_same_bytes(slim: Path, tmp_path: Path) -> None:
    assert packaging.build_slim(ROOT, tmp_path).read_bytes() == slim.read_bytes()
    with zipfile.ZipFile(slim) as archive:
        assert archive.namelist() == sorted(archive.namelist())
        assert {item.date_time for item in archive.infolist()} == {packaging.EARLIEST}
        assert {item.external_attr >> 16 for item in archive.infolist()} == {0o100644}


def test_without_git_the_manifest_alone_gives_the_same_zip(slim: Path, tmp_path: Path) -> None:
    listed = packaging.tracked_files(ROOT)
    if listed is None:
        pytest.skip("not a git checkout")
    for name in listed:
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / "source" / name)
    assert packaging.tracked_files(tmp_path / "source") is None
    assert packaging.build_slim(tmp_path / "source", tmp_path / "dist").read_bytes() == slim.read_bytes()


def test_untracked_files_stay_out_and_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = small_extension(tmp_path / "source")
    commands = (["init", "-q"], ["add", "."])
    if any(subprocess.run(["git", *command], cwd=source, capture_output=True).returncode != 0 for command in commands):
        pytest.skip("git is not there")
    (source / "addon").mkdir()
    (source / "addon" / "forgotten.py").write_text("")
    (source / "notes.txt").write_text("mine")
    names = names_in(packaging.build_slim(source, tmp_path / "dist"))
    assert names == ["__init__.py", "blender_manifest.toml"]
    assert "addon/forgotten.py" in capsys.readouterr().err


def small_extension(folder: Path, tags: str = "Mesh") -> Path:
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    text = (ROOT / "blender_manifest.toml").read_text(encoding="utf-8")
    (folder / "blender_manifest.toml").write_text(re.sub(r"^tags = .*$", f'tags = ["{tags}"]', text, flags=re.M))
    return folder


def test_what_blenders_tool_refuses_is_not_built(tmp_path: Path) -> None:
    source = small_extension(tmp_path / "source", tags="No Such Tag")
    with pytest.raises(packaging.PackageError, match="No Such Tag"):
        packaging.build_slim(source, tmp_path / "dist")
    assert not list((tmp_path / "dist").iterdir())


def test_the_command_prints_path_and_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert packaging.main(["--out", str(tmp_path)]) == 0
    path = next(tmp_path.iterdir())
    assert capsys.readouterr().out == f"{path} ({path.stat().st_size / 1e6:.1f} MB)\n"


# --- bundles, with wheels of a few bytes -----------------------------------------------------------------------------


def make_wheel(folder: Path, name: str, version: str, tag: str = "py3-none-any", requires: Sequence[str] = ()) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    inside = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {line}" for line in requires)]
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        archive.writestr(f"{inside}/METADATA", "\n".join(lines) + "\n")
        archive.writestr(f"{inside}/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{inside}/RECORD", "")


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Wheels of packages that exist nowhere else."""
    folder = tmp_path / "shelf"
    for python in ("cp311", "cp313"):
        for tag in ("manylinux_2_17_x86_64", "win_amd64"):
            make_wheel(
                folder,
                "imagofake_core",
                "1.0+cpu",
                f"{python}-{python}-{tag}",
                (
                    "imagofake-any>=1",
                    'imagofake-linux; platform_system == "Linux"',
                    'imagofake-late; python_version >= "3.12"',
                    'imagofake-nowhere; extra == "more"',
                    "imagofake-parts[fast]",
                ),
            )
    make_wheel(folder, "imagofake_any", "1.5")
    make_wheel(folder, "imagofake_any", "2.0")
    make_wheel(folder, "imagofake_linux", "1.0", "py3-none-manylinux2014_x86_64")
    make_wheel(folder, "imagofake_late", "1.0")
    make_wheel(folder, "imagofake_parts", "1.0", requires=("imagofake-any<2", 'imagofake-quick; extra == "fast"'))
    make_wheel(folder, "imagofake_quick", "1.0")
    make_wheel(folder, "imagofake_old", "1.0", "cp311-cp311-manylinux_2_17_x86_64")
    return folder


REQUIREMENTS = '# comment\nimagofake-core==1.0\nimagofake-old==1.0; python_version < "3.12" and platform_system == "Linux"  # another\n'


def offline(shelf: Path) -> list[str]:
    return ["--no-index", "--find-links", str(shelf)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("platform", "python", "names"),
    [
        ("linux-x64", "3.11", {"core", "any", "linux", "parts", "quick", "old"}),
        ("linux-x64", "3.13", {"core", "any", "linux", "parts", "quick", "late"}),
        ("windows-x64", "3.13", {"core", "any", "parts", "quick", "late"}),
    ],
)
def test_a_bundle_has_the_wheels_of_its_platform_and_python(
    slim: Path, shelf: Path, tmp_path: Path, platform: str, python: str, names: set[str]
) -> None:
    path = packaging.build_bundle(slim, platform, python, REQUIREMENTS, tmp_path / "dist", offline(shelf))
    digits = python.replace(".", "")
    assert path == tmp_path / "dist" / f"{slim.stem}-{platform}-py{digits}.zip" and path.is_file()
    wheels = [name for name in names_in(path) if name.startswith("wheels/")]
    assert {re.split("[_-]", name)[1] for name in wheels} == names
    assert "wheels/imagofake_any-1.5-py3-none-any.whl" in wheels, "2.0 is newer, but another package asks for less"
    assert [name for name in wheels if f"cp{digits}" in name and ("win_amd64" if "windows" in platform else "linux") in name]
    assert [name for name in names_in(path) if not name.startswith("wheels/")] == names_in(slim)
    manifest = manifest_in(path)
    assert manifest["platforms"] == [platform] and "wheels" not in manifest
    assert (manifest["blender_version_min"], manifest.get("blender_version_max")) == packaging.BLENDERS_OF_PYTHON[python]
    packaging.run_tool(["validate", str(path)])


def test_a_bundle_that_cannot_be_made_is_named_and_an_old_one_goes(
    slim: Path, shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / f"{slim.stem}-macos-arm64-py313.zip"
    old.write_text("from the last time")
    assert packaging.build_bundle(slim, "macos-arm64", "3.13", REQUIREMENTS, tmp_path, offline(shelf)) is None
    said = capsys.readouterr().err
    assert "no bundle for macos-arm64 with Python 3.13" in said and "imagofake-core==1.0" in said and not old.exists()


@pytest.mark.slow
def test_the_command_goes_on_past_a_platform_and_fails_only_without_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, str, list[str]]] = []

    def collect(requirements: str, platform: str, python: str, folder: Path, for_pip: Sequence[str]) -> None:
        asked.append((platform, python, list(for_pip)))
        if platform in lacking:
            raise wheelhouse.WheelsMissing("none.")
        folder.mkdir()
        (folder / "a.whl").write_text("")

    monkeypatch.setattr(packaging, "collect_wheels", collect)
    lacking = {"windows-x64"}
    assert packaging.main(["--bundle", "--python", "3.11", "--out", str(tmp_path), "--", "--find-links", "place"]) == 0
    assert asked == [(platform, "3.11", ["--find-links", "place"]) for platform in ("linux-x64", "windows-x64", "macos-arm64")]
    assert len(list(tmp_path.glob("*-py311.zip"))) == 2 and "windows-x64" in capsys.readouterr().err
    lacking = set(wheelhouse.PLATFORM_TAGS)
    assert packaging.main(["--bundle", "--platform", "linux-x64", "--out", str(tmp_path)]) == 1
    assert "linux-x64 with Python 3.11" in (said := capsys.readouterr().err) and "linux-x64 with Python 3.13" in said


@pytest.mark.slow
def test_versions_that_exclude_each_other_are_said_and_do_not_loop(shelf: Path, tmp_path: Path) -> None:
    make_wheel(shelf, "imagofake_picky", "1.0", requires=("imagofake-any>=2",))
    with pytest.raises(wheelhouse.WheelsMissing, match="imagofake-any"):
        wheelhouse.collect_wheels("imagofake-picky\nimagofake-parts", "linux-x64", "3.11", tmp_path / "wheels", offline(shelf))


def test_the_workers_requirements_are_judged_for_the_target() -> None:
    lines = (ROOT / "core" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    versions = {}
    for python in packaging.BLENDERS_OF_PYTHON:
        found = wheelhouse.needed(lines, wheelhouse.target_markers("windows-x64", python))
        assert {"torch", "numpy", "safetensors"} <= {requirement.name for requirement in found}
        versions[python] = [str(requirement.specifier) for requirement in found if requirement.name == "numpy"]
    assert versions["3.11"] != versions["3.13"] and all(len(found) == 1 for found in versions.values())


def test_every_python_of_blender_follows_the_one_before() -> None:
    spans = list(packaging.BLENDERS_OF_PYTHON.values())
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert spans[0][0] == manifest["blender_version_min"] and spans[-1][1] is None
    assert [last for _, last in spans[:-1]] == [first for first, _ in spans[1:]]
