"""python -m imago.addon.photograph"""

from .photograph import main

if __name__ == "__main__":
    main()
