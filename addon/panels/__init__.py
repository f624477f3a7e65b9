"""What the Imago tabs of the sidebars show, of the 3D viewport and of the Image Editor."""

from . import car, photo

CLASSES = (photo.IMAGO_PT_photo, *car.CLASSES, photo.IMAGO_PT_history, photo.IMAGO_PT_box)  # in the order in which they stand
