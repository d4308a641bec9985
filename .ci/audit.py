"""Are there known vulnerabilities in the packages that a file pins? Asks OSV, by pip-audit; exit status 1 where there are.

Where OSV cannot be reached, or takes too long, a line says so and nothing fails: what is pinned is no worse without a network.

python .ci/audit.py constraints.txt
"""

import re
import subprocess
import sys

SECONDS = 120
UNREACHABLE = re.compile(r"ConnectionError|ConnectTimeout|ReadTimeout|Could not connect|HTTPError|SSLError")


def audit(pinned: str, *service: str) -> int:
    """The exit status. `service` may be `--osv-url` and another address."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", pinned, "--no-deps", "--disable-pip"]
    command += ["--vulnerability-service", "osv", "--timeout", "10", "--progress-spinner", "off", *service]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        print(f"pip-audit: skipped, no answer within {SECONDS} seconds")
        return 0
    if done.returncode and not done.stdout and UNREACHABLE.search(done.stderr):
        print("pip-audit: skipped, its service cannot be reached")
        return 0
    if done.returncode:
        print(done.stdout or done.stderr, file=sys.stderr)
        return 1
    print(f"pip-audit: nothing known against the packages of {pinned}")
    return 0


if __name__ == "__main__":
    sys.exit(audit(*sys.argv[1:]))
