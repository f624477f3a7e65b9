"""What the Imago tabs of the sidebars show, of the 3D viewport and of the Image Editor."""

from . import car, drive, photo

# in the order in which they stand
CLASSES = (photo.IMAGO_PT_photo, *car.BEFORE_DRIVE, *drive.CLASSES, *car.AFTER_DRIVE, photo.IMAGO_PT_history, photo.IMAGO_PT_box)
