"""The loops that Numba compiles. `serve.kernels` calls them; nothing else imports the modules, for Numba is slow to import."""

import os

# NUMBA_BOUNDSCHECK=1: the kernels stay functions of Numba, which check every index.
CHECKED = os.environ.get("NUMBA_BOUNDSCHECK", "0") not in ("", "0")
# What is said of a page beside its scores.
FINE, ODD, FOREIGN = 0, 1, 2
