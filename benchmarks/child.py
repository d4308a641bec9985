"""Runs a command and prints what it took, as JSON: wall seconds, CPU seconds, peak memory in MB, exit status.

A process of its own, and a small one: Linux counts the memory of a process that starts another as the other's, for a moment.
"""

import json
import os
import resource
import subprocess
import sys
import time

begin = time.perf_counter()
# The command's own output goes to standard error.
status = subprocess.run(sys.argv[1:], stdout=sys.stderr, check=False).returncode
seconds = time.perf_counter() - begin
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
print(json.dumps({"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "megabytes": peak, "status": status}))
sys.stdout.flush()
os._exit(0)
