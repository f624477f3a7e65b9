"""What the buttons do: each unpacks the context, calls one plain function and reports."""

from . import cars, draw_box, drive, help, history, inventing, making, photos, setting_up

CLASSES = (
    *making.CLASSES, *inventing.CLASSES,
    *photos.CLASSES, *draw_box.CLASSES, *setting_up.CLASSES, *cars.CLASSES, *drive.CLASSES, *history.CLASSES, *help.CLASSES
)  # fmt: skip
