"""Reading: a picture file of any common kind becomes an upright float Photo, or a sentence that says why not."""

from .photo import find_photos, read_photo

__all__ = ["find_photos", "read_photo"]
