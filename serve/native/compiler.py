"""Numba functions without Python around them: object code that a process without Numba can load.

A kernel takes contiguous one-dimensional arrays and numbers, as its annotations say, and returns a number. It makes no
array, raises nothing and checks no bounds, so that nothing of Numba's or Python's is needed where it runs.
NUMBA_BOUNDSCHECK=1 leaves the kernels as functions of Numba, which check the bounds.
"""

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

import numba
import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.np.arrayobj import make_array, populate_array
from numpy.typing import NDArray

from serve.native import CHECKED

# What a kernel's parameters are annotated with.
U1: TypeAlias = NDArray[np.uint8]
U8: TypeAlias = NDArray[np.uint64]
I4: TypeAlias = NDArray[np.int32]
I8: TypeAlias = NDArray[np.int64]
F4: TypeAlias = NDArray[np.float32]
F8: TypeAlias = NDArray[np.float64]
INT: TypeAlias = int

ARRAY = "[:]"
_KINDS = {
    U1: "u1[:]", U8: "u8[:]", I4: "i4[:]", I8: "i8[:]", F4: "f4[:]", F8: "f8[:]", INT: "i8",
}  # fmt: skip
_TYPES: dict[str, Any] = {
    "u1": types.uint8,
    "u8": types.uint64,
    "i4": types.int32,
    "i8": types.int64,
    "f4": types.float32,
    "f8": types.float64,
}
_UNCHECKED: dict[str, Any] = {
    "error_model": "numpy",
    "_nrt": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
_OPTIONS: Any = {} if CHECKED else _UNCHECKED

KERNELS: dict[str, Any] = {}

_intrinsic: Any = extending.intrinsic


def helper(function: Callable[..., Any]) -> Any:
    """A function that kernels call."""
    return numba.njit(**_OPTIONS)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """A short function that is put in place of each call of it."""
    return numba.njit(forceinline=True, **_OPTIONS)(function)


def kernel(function: Callable[..., Any]) -> Any:
    """A function that Python calls, by way of `serve.kernels`."""
    KERNELS[function.__name__] = compiled = helper(function)
    return compiled


def parameters(function: Any) -> list[str]:
    """The types of a kernel's parameters: "u1[:]" for `U1`, and the like."""
    return [_KINDS[parameter.annotation] for parameter in inspect.signature(function.py_func).parameters.values()]


@_intrinsic
def _as_array(context: Any, pointer: Any, length: Any) -> Any:
    """The array of so many items at a pointer; `numba.carray` would count references to it."""
    array = types.Array(pointer.dtype, 1, "C")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = make_array(array)(context, builder)
        size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(array.dtype)))
        data = builder.bitcast(args[0], made.data.type)
        populate_array(made, data=data, shape=[args[1]], strides=[size], itemsize=size, meminfo=None)
        return made._getvalue()

    return array(pointer, types.intp), generate


@_intrinsic
def _load_eight(context: Any, array: Any, place: Any) -> Any:
    """Eight bytes of an array of bytes, from a place on, as one number, the first byte lowest (on a machine that counts so,
    as all that Numba compiles for do)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = make_array(signature.args[0])(context, builder, args[0]).data
        at = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(64).as_pointer())
        return builder.load(at, align=1)

    return types.uint64(array, types.int64), generate


@inlined
def _load_eight_checked(array, place):
    if not 0 <= place <= len(array) - 8:
        raise IndexError("eight bytes are read beyond the end")
    return _load_eight(array, place)


load_eight = _load_eight_checked if CHECKED else _load_eight


@_intrinsic
def trailing_zeros(context: Any, number: Any) -> Any:
    """How many bits below the lowest one that is set."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


@_intrinsic
def ones(context: Any, number: Any) -> Any:
    """How many bits are set."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


@_intrinsic
def folded_product(context: Any, left: Any, right: Any) -> Any:
    """The upper half of the 128 bits of a product, xor the lower one."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        half, whole = ir.IntType(64), ir.IntType(128)
        product = builder.mul(builder.zext(args[0], whole), builder.zext(args[1], whole))
        return builder.xor(builder.trunc(builder.lshr(product, whole(64)), half), builder.trunc(product, half))

    return types.uint64(types.uint64, types.uint64), generate


@_intrinsic
def move(context: Any, source: Any, first: Any, last: Any, target: Any, at: Any) -> Any:
    """Copies source[first:last] to target[at:], an array of the same type or the same one; nothing where last < first."""
    if source.dtype != target.dtype:
        raise TypeError(f"move: {source.dtype} is not {target.dtype}")

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(source.dtype)))
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(64)
        function = builder.module.declare_intrinsic("llvm.memmove", [pointer, pointer, number])
        begins = [
            builder.bitcast(builder.gep(make_array(kind)(context, builder, array).data, [place]), pointer)
            for kind, array, place in ((target, args[3], args[4]), (source, args[0], args[1]))
        ]
        length = builder.mul(builder.sub(args[2], args[1]), size)
        none = builder.icmp_signed("<", length, number(0))
        builder.call(function, [*begins, builder.select(none, number(0), length), ir.IntType(1)(0)])
        return context.get_dummy_value()

    return types.void(source, types.int64, types.int64, target, types.int64), generate


@_intrinsic
def prefetch(context: Any, array: Any, place: Any) -> Any:
    """Has the memory begin to fetch what stands at a place, which will be read soon."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = make_array(signature.args[0])(context, builder, args[0]).data
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", [pointer], ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        )
        at = builder.bitcast(builder.gep(data, [args[1]]), pointer)
        builder.call(function, [at, *(ir.Constant(number, value) for value in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


def object_code(function: Any) -> tuple[str, bytes]:
    """The symbol and the object code of a kernel, arrays given as pointer and length."""
    names: list[str] = []
    arguments: list[str] = []
    signature: list[Any] = []
    for place, kind in enumerate(parameters(function)):
        item = _TYPES[kind.removesuffix(ARRAY)]
        if kind.endswith(ARRAY):
            names += [f"p{place}", f"n{place}"]
            arguments.append(f"as_array(p{place}, n{place})")
            signature += [types.CPointer(item), types.int64]
        else:
            names.append(f"p{place}")
            arguments.append(f"p{place}")
            signature.append(item)
    scope = {"kernel": function, "as_array": _as_array}
    exec(f"def entry({', '.join(names)}): return kernel({', '.join(arguments)})", scope)
    compiled = numba.njit(types.int64(*signature), **_OPTIONS)(scope["entry"])
    (result,) = compiled.overloads.values()
    return result.fndesc.llvm_func_name, result.library._get_compiled_object()
