"""Writes a Parquet file anew, without dictionaries and compression; run as a program, with bounded memory.

A Parquet file of a few kilobytes can hold gigabytes, and what reads it has them in memory before it can count them. So
what strangers send is first read where that does no harm. `python plain_parquet.py SOURCE TARGET BYTES` exits with
TOO_LARGE where the target would have more bytes, or some rows are beyond measure, with NO_ROOM where the disk is full, and
otherwise says on standard error what is wrong with the source.
"""

import errno
import os
import resource
import sys

import pyarrow as pa
import pyarrow.parquet as pq

TOO_LARGE, NO_ROOM = 3, 4
MEMORY = 2 * 2**30
# So many rows are looked at together, and may have so many bytes.
ROWS, BYTES = 1024, 64 * 2**20


def rewrite(source: str, target: str) -> None:
    """Raises MemoryError when some rows are too large, ArrowException or OSError when the source is broken."""
    file = pq.ParquetFile(source, pre_buffer=False, buffer_size=2**20)
    schema = pa.schema([field.with_type(_plain(field.type)) for field in file.schema_arrow])
    with pq.ParquetWriter(target, schema, compression="none", use_dictionary=False) as writer:
        for batch in file.iter_batches(batch_size=ROWS, use_threads=False):
            table = pa.Table.from_batches([batch]).cast(schema)
            if table.nbytes > BYTES:
                raise MemoryError
            writer.write_table(table)


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type of the values themselves. Raises MemoryError for a dictionary within a list, which nobody can count."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_nested(kind) and "dictionary" in str(kind):
        raise MemoryError
    return kind


def main(source: str, target: str, size: int) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        rewrite(source, target)
    except MemoryError:
        return TOO_LARGE
    except (pa.ArrowException, OSError) as error:
        # Arrow's errors keep the system's number in their text alone.
        for number, status in ((errno.EFBIG, TOO_LARGE), (errno.ENOSPC, NO_ROOM)):
            if os.strerror(number) in str(error):
                return status
        print(str(error).partition("\n")[0].rstrip("."), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
