"""What the Imago tab of the sidebar shows."""

from . import car, photo

CLASSES = (photo.IMAGO_PT_photo, *car.CLASSES, photo.IMAGO_PT_history)  # in the order in which they stand
