"""A run that is cut short, in a process of its own: `python -m tests.serve.files.interrupted SOURCE TARGET WRITE LIMIT`.

It is killed in the middle of its WRITE-th write (0: it is not), and its files may have LIMIT bytes (0: any number). It
prints how many rows are filed and rejected, and how many of them it has filed itself.
"""

import os
import resource
import signal
import sys
from typing import TYPE_CHECKING, cast

from serve.batch import predict_file
from serve.errors import KanalError
from serve.files import journal, lines
from tests.serve.files.keywords import Keywords

if TYPE_CHECKING:
    from serve.model import TopicModel


def kill_in_write(number: int) -> None:
    write, writes = journal._Appended.write, 0

    def counted(file: journal._Appended, data: bytes) -> None:
        nonlocal writes
        writes += 1
        if writes == number:
            file.file.seek(file.size)
            file.file.write(data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        write(file, data)

    journal._Appended.write = counted  # type: ignore[method-assign]


if __name__ == "__main__":
    source, target, write, limit = sys.argv[1:]
    lines.BLOCK_SIZE = 1000
    journal.SECONDS_BETWEEN_CHECKPOINTS = 0
    if int(write):
        kill_in_write(int(write))
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    model = Keywords()
    try:
        outcome = predict_file(cast("TopicModel", model), source, target, keep=True, resume=True)
        print(outcome.rows, outcome.rejected, sum(model.batches))
    except KanalError as error:
        sys.exit(str(error))
