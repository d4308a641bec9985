"""Kernels are compiled once and kept; what is kept is looked after."""

import subprocess
import sys

import numpy as np
import pytest

from serve import kernels
from serve.paths import ROOT
from serve.vectorizer import SEEDS
from serve.workspace import Workspace

RUN = "from serve.clean import clean; import sys; print(clean('Baca juga: Harga Beras Naik\\n\\nPresiden tiba.'), 'numba' in sys.modules)"


def test_a_process_with_kept_kernels_does_without_numba():
    kernels.table("fold")  # they are kept from here on
    out = subprocess.run([sys.executable, "-c", RUN], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["Presiden", "tiba.", "False"]


def test_a_damaged_copy_is_not_used(tmp_path):
    kernels.table("fold")
    kept = next(place for place in kernels.places() if place.exists())
    content = kept.read_bytes()
    for damaged in (b"", content[: len(content) // 2], content[:-1] + bytes([content[-1] ^ 1])):
        (tmp_path / kept.name).write_bytes(damaged)
        assert kernels.read_kept(tmp_path / kept.name) is None
    (tmp_path / kept.name).write_bytes(content)
    assert kernels.read_kept(tmp_path / kept.name) is not None


def test_threads_may_need_the_kernels_all_at_once():
    code = (
        "from concurrent.futures import ThreadPoolExecutor as Pool; from serve.clean import clean\n"
        "with Pool(8) as pool: print(set(pool.map(clean, ['Presiden  tiba.'] * 400)))"
    )
    for _ in range(3):
        out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert out.stdout.strip() == "{'Presiden tiba.'}"


def test_arrays_of_another_kind_are_refused():
    space = Workspace(100)
    buffer = np.frombuffer(b"satu dua", np.uint8)
    with pytest.raises(TypeError, match="tokenise: expected a contiguous array of int32"):
        kernels.tokenise(buffer, np.zeros(4), SEEDS, *space.tokens[:5], np.zeros(0, np.int64))
    with pytest.raises(TypeError, match="contiguous"):
        kernels.tokenise(buffer[::2], kernels.table("fold"), SEEDS, *space.tokens[:5], np.zeros(0, np.int64))


def test_there_is_no_kernel_of_any_name():
    with pytest.raises(AttributeError, match="no kernel 'tokenize'"):
        kernels.tokenize  # noqa: B018
