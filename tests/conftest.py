"""What all tests share: two threads at most, so that a test run leaves a machine usable."""

import os

# tests that run two files at a time get one thread each
os.environ.setdefault("OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")
