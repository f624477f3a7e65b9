"""What the buttons do: each unpacks the context, calls one plain function and reports."""

from . import cars, help, history, making, photos, setting_up

CLASSES = (*making.CLASSES, *photos.CLASSES, *setting_up.CLASSES, *cars.CLASSES, *history.CLASSES, *help.CLASSES)
