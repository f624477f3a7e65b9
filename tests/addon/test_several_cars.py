"""Which of several cars: from the panel's fields, an operator's arguments and a drawn box to what the worker is asked for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from PIL import Image

from imago.addon.operators import draw_box, making
from imago.addon.photo_box import orientation_of, upright_box
from imago.addon.session import Job, Session
from imago.addon.worker_client import Event
from imago.core.errors import Trouble, UserInputError
from imago.core.messages import MakeRequest, Word
from imago.core.photo import read_photo
from imago.core.types import Settings

NO_BOX = (0, 0, 0, 0)


pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture
def inputs():
    found = bpy.context.window_manager.imago
    yield found
    found.source, found.image, found.photo, found.mask = "FILE", "", "", ""


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """asked(**properties of Create Car) -> the settings of the request, which no worker gets to see."""
    requests: list[MakeRequest] = []

    def begin(request: MakeRequest) -> None:
        requests.append(request)
        raise UserInputError("enough.")

    monkeypatch.setattr(making, "ensure_worker", lambda: None)
    monkeypatch.setattr(making, "preferences", lambda: SimpleNamespace(keep_runs=9))
    monkeypatch.setattr(making, "runs_folder", lambda: tmp_path)
    monkeypatch.setattr(making.SESSION, "begin", begin)

    def ask(**properties: object) -> dict:
        with pytest.raises(RuntimeError, match="Enough"):
            bpy.ops.imago.create_car("EXEC_DEFAULT", **properties)
        Settings(**requests[-1].settings)  # or the worker would not take them
        return requests[-1].settings

    yield ask
    making.SESSION.problem = None


def meant(settings: dict) -> tuple[int, list[int] | None]:
    return settings["which"], settings["box_px"]


def test_the_panels_fields_go_to_the_worker(inputs, asked):
    inputs.photo = "/photos/street.jpg"
    assert meant(asked()) == (0, None)
    inputs.which = 3
    assert meant(asked()) == (3, None)
    inputs.box = (10, 20, 300, 200)
    assert meant(asked()) == (0, [10, 20, 300, 200]), "a box counts instead of a number"


def test_arguments_outrank_the_panel(inputs, asked):
    inputs.photo = "/photos/street.jpg"
    inputs.which = 3
    assert meant(asked(which=2)) == (2, None)
    assert meant(asked(box=(1, 2, 30, 40))) == (0, [1, 2, 30, 40])
    assert meant(asked(filepath="/photos/other.jpg", which=1)) == (1, None)


def test_the_panels_box_is_not_another_photos(inputs, asked):
    inputs.photo = "/photos/street.jpg"
    inputs.which, inputs.box = 3, (10, 20, 300, 200)
    assert meant(asked(filepath="/photos/other.jpg")) == (0, None)
    inputs.photo = "/photos/other.jpg"
    assert (inputs.which, tuple(inputs.box)) == (0, NO_BOX)


def test_a_body_type_is_told_of_one_photo(inputs, asked):
    inputs.photo = "/photos/street.jpg"
    assert asked()["body_type"] == ""
    inputs.body_type = "suv"
    assert asked()["body_type"] == "suv" and asked(body_type="van")["body_type"] == "van"
    assert asked(body_type="AUTO")["body_type"] == "" == asked(filepath="/photos/other.jpg")["body_type"]
    inputs.photo = "/photos/other.jpg"
    assert inputs.body_type == "AUTO"


def test_a_notice_that_is_said_again_is_shown_once():
    session, said = Session(), []
    session.job = Job(MakeRequest("one", "a.jpg", "folder"))
    session.worker = SimpleNamespace(poll=lambda: said)  # type: ignore[assignment]
    fields = {"trouble": "several_cars", "sentence": "2 cars were found."}
    said += [Event(Word.NOTICE, "one", fields), Event(Word.NOTICE, "one", fields), Event(Word.MADE, "one", {"folder": "folder"})]
    outcome = session.tick()
    assert outcome is not None and [(n.trouble, n.sentence) for n in outcome.notices] == [(Trouble.SEVERAL_CARS, "2 cars were found.")]


def marked_picture(path: Path, orientation: int) -> Path:
    """80 x 40 as stored, white in a corner, with an EXIF block."""
    pixels, exif = np.zeros((40, 80, 3), np.uint8), Image.Exif()
    pixels[4:16, 8:40] = 255
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=exif, quality=95)
    return path


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_over_a_turned_picture_is_where_the_worker_sees_it(tmp_path, kind, orientation):
    path = marked_picture(tmp_path / f"a.{kind}", orientation)
    assert orientation_of(path) == orientation
    left, top, right, bottom = upright_box([(0.1, 0.9), (0.5, 0.6)], (80, 40), orientation)
    seen = read_photo(path).image_srgb01[..., 0] > 0.5
    assert seen[top:bottom, left:right].mean() > 0.98 and seen.sum() == pytest.approx((right - left) * (bottom - top), rel=0.02)


def test_pictures_without_or_with_a_damaged_exif_block(tmp_path):
    Image.new("RGB", (80, 40)).save(tmp_path / "a.jpg")
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8..Exif\0\0II*\0\x08\0\0\0\x05\0")
    (tmp_path / "empty.jpg").touch()
    assert [orientation_of(tmp_path / name) for name in ("a.jpg", "cut.jpg", "empty.jpg")] == [1, 1, 1]


class Drawer:
    """Stands in for the operator that Blender makes on a click."""

    _handler = None
    poll_message_set = staticmethod(lambda text: None)
    invoke, modal, cancel, _take = (getattr(draw_box.IMAGO_OT_draw_box, name) for name in ("invoke", "modal", "cancel", "_take"))


@pytest.fixture
def handlers(monkeypatch):
    """The draw handlers that are there now."""
    there: list[object] = []
    space = SimpleNamespace(draw_handler_add=lambda *given: there.append(given) or given, draw_handler_remove=lambda h, _: there.remove(h))
    monkeypatch.setattr(draw_box.bpy, "types", SimpleNamespace(SpaceImageEditor=space))
    return there


def window(image: bpy.types.Image | None) -> SimpleNamespace:
    """An Image Editor of 200 x 100 at (50, 10) of the window, the picture filling it."""
    view = SimpleNamespace(region_to_view=lambda x, y: (x / 200, y / 100))
    region = SimpleNamespace(type="WINDOW", x=50, y=10, width=200, height=100, view2d=view)
    area = SimpleNamespace(
        type="IMAGE_EDITOR", regions=[region], as_pointer=lambda: 1, header_text_set=lambda text: None, tag_redraw=lambda: None
    )
    real = bpy.context.window_manager
    manager = SimpleNamespace(imago=real.imago, modal_handler_add=lambda operator: True)
    return SimpleNamespace(area=area, space_data=SimpleNamespace(image=image), window_manager=manager)


def event(kind: str, value: str = "NOTHING", x: int = 0, y: int = 0) -> SimpleNamespace:
    return SimpleNamespace(type=kind, value=value, mouse_x=50 + x, mouse_y=10 + y)


def drawn(context: SimpleNamespace, *events: SimpleNamespace) -> tuple[Drawer, list[set[str]]]:
    operator = Drawer()
    assert operator.invoke(context, event("LEFTMOUSE", "RELEASE")) == {"RUNNING_MODAL"}
    return operator, [operator.modal(context, each) for each in events]


DRAG = (event("LEFTMOUSE", "PRESS", 20, 90), event("MOUSEMOVE", x=60, y=70), event("LEFTMOUSE", "RELEASE", 100, 60))


def test_press_drag_release_sets_box_and_picture(inputs, handlers, tmp_path):
    image = bpy.data.images.load(str(marked_picture(tmp_path / "a.jpg", 1)))
    try:
        _, answers = drawn(window(image), event("LEFTMOUSE", "RELEASE", 5, 5), *DRAG)
        assert answers == [{"PASS_THROUGH"}, {"RUNNING_MODAL"}, {"RUNNING_MODAL"}, {"FINISHED"}] and not handlers
        assert tuple(inputs.box) == (8, 4, 40, 16) and (inputs.source, inputs.image) == ("IMAGE", image.name)
        inputs.source, inputs.photo = "FILE", str(tmp_path / "a.jpg")
        drawn(window(image), *DRAG)
        assert tuple(inputs.box) == (8, 4, 40, 16) and inputs.source == "FILE", "the panel's photo is the one shown"
    finally:
        bpy.data.images.remove(image)


@pytest.mark.parametrize(
    "last", [event("ESC", "PRESS"), event("RIGHTMOUSE", "PRESS"), event("LEFTMOUSE", "PRESS", -30, 5)], ids=["Esc", "right", "elsewhere"]
)
def test_cancelling_leaves_no_handler_and_no_box(inputs, handlers, tmp_path, last):
    image = bpy.data.images.load(str(marked_picture(tmp_path / "a.jpg", 1)))
    try:
        operator, answers = drawn(window(image), *DRAG[:2])
        assert len(handlers) == 1 and answers[-1] == {"RUNNING_MODAL"}
        assert "CANCELLED" in operator.modal(window(image), last) and not handlers and tuple(inputs.box) == NO_BOX
    finally:
        bpy.data.images.remove(image)


def test_an_error_leaves_no_handler(inputs, handlers, monkeypatch, tmp_path):
    image = bpy.data.images.load(str(marked_picture(tmp_path / "a.jpg", 1)))

    def fault(*_: object) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(draw_box, "take_box", fault)
    try:
        with pytest.raises(ZeroDivisionError):
            drawn(window(image), *DRAG)
        assert not handlers
    finally:
        bpy.data.images.remove(image)


def test_a_click_draws_nothing_and_one_may_try_again(inputs, handlers, tmp_path):
    image = bpy.data.images.load(str(marked_picture(tmp_path / "a.jpg", 1)))
    try:
        _, answers = drawn(window(image), DRAG[0], event("LEFTMOUSE", "RELEASE", 20, 90), *DRAG)
        assert answers[1] == {"RUNNING_MODAL"} and answers[-1] == {"FINISHED"} and tuple(inputs.box) == (8, 4, 40, 16)
    finally:
        bpy.data.images.remove(image)


def test_without_a_picture_it_is_grey_and_says_why(handlers):
    said: list[str] = []
    operator = SimpleNamespace(poll_message_set=said.append)
    assert not draw_box.picture_shown(operator, window(None)) and said == ["Show the photograph in the Image Editor first"]
