"""What all tests share: two threads at most, so that a test run leaves a machine usable."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "2")
