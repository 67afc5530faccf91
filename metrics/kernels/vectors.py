"""Eight numbers as one: a type for kernels whose loops the compiler does not turn into vector instructions by itself.

A `Vector` is what one instruction of a modern processor works on; where the processor's are shorter, it is several. Sums,
differences, products and quotients of two of them, or of one and a number, are taken lane by lane, as `+ - * /`. What is
said of eight numbers in double precision holds for sixteen in single precision where an array, a number or a vector is of
that kind: for `load`, `load_everywhere`, `store`, `spread` and `larger`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from . import jit_fused

LANES = 8


def _instruction(emitter: Any) -> Any:
    """A function for kernels whose instructions are written here; `emitter` types it as numba wants it."""
    return intrinsic(prefer_literal=True)(emitter)


class Vector(types.Type):
    """Eight float64, or sixteen float32."""

    def __init__(self, number: Any, lanes: int) -> None:
        super().__init__(name=f"vector({number}, {lanes})")


_vector = Vector(types.float64, LANES)
_single = Vector(types.float32, 2 * LANES)
_EIGHT = ir.VectorType(ir.DoubleType(), LANES)
_SIXTEEN = ir.VectorType(ir.FloatType(), 2 * LANES)
_BITS = ir.VectorType(ir.IntType(64), LANES)


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, _SIXTEEN if of == _single else _EIGHT)


def _kind(of: Any) -> Any:
    """What vectors of an array, of what lies at an `origin`, or of a number are."""
    return _single if getattr(of, "dtype", of) == types.float32 else _vector


def _shuffled(builder: Any, first: Any, second: Any, order: list[int]) -> Any:
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order))


def _everywhere(builder: Any, number: Any) -> Any:
    kind = _SIXTEEN if number.type == ir.FloatType() else _EIGHT
    nothing = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
    return _shuffled(builder, first, nothing, [0] * kind.count)


def _define(symbol: Any, instruction: str) -> None:
    class Operation(ConcreteTemplate):
        cases: ClassVar = [
            signature(vector, *pair)
            for vector, number in ((_vector, types.float64), (_single, types.float32))
            for pair in ((vector, vector), (number, vector), (vector, number))
        ]

    def emit(_context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pair = (x if isinstance(t, Vector) else _everywhere(builder, x) for t, x in zip(sig.args, args, strict=True))
        return getattr(builder, instruction)(*pair)

    infer_global(symbol)(Operation)
    for kinds in ((Vector, Vector), (types.Float, Vector), (Vector, types.Float)):
        lower_builtin(symbol, *kinds)(emit)


for _symbol, _name in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _define(_symbol, _name)


def _number(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """Pointer to a number of an array, or of what lies at an `origin`."""
    if isinstance(kind, types.Integer):
        data = builder.inttoptr(array, ir.DoubleType().as_pointer())
    else:
        data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [index])


def _place(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    vector = _SIXTEEN if _kind(kind) == _single else _EIGHT
    return builder.bitcast(_number(context, builder, kind, array, index), vector.as_pointer())


@_instruction
def origin(_typing: Any, array: Any) -> Any:
    """Where a contiguous float64 array begins, to be passed on instead of it: references to arrays are counted at every call."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        return builder.ptrtoint(data, context.get_value_type(types.intp))

    return types.intp(array), emit


@_instruction
def load(_typing: Any, array: Any, index: Any) -> Any:
    """Eight numbers of a contiguous float64 array that begin at a flat index. Nothing checks that they are there.

    Here and below, an array may also be given by its `origin`.
    """

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(_place(context, builder, sig.args[0], *args), align=4)

    return _kind(array)(array, types.intp), emit


@_instruction
def load_everywhere(_typing: Any, array: Any, index: Any) -> Any:
    """The number of a contiguous float64 array at a flat index, eight times."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _everywhere(builder, builder.load(_number(context, builder, sig.args[0], *args)))

    return _kind(array)(array, types.intp), emit


@_instruction
def store(_typing: Any, array: Any, index: Any, vector: Any) -> Any:
    """Put eight numbers where `load` would find them."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(args[2], _place(context, builder, sig.args[0], *args[:2]), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, _kind(array)), emit


@_instruction
def expect(_typing: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line at a flat index, which is needed soon; it may lie beyond the array."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        number = ir.IntType(32)
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        address = builder.bitcast(_place(context, builder, sig.args[0], *args), byte)
        # To read or write; to the second-level cache; data.
        builder.call(function, [address, *(ir.Constant(number, k) for k in (1, 2, 1))])
        return context.get_dummy_value()

    return types.void(array, types.intp), emit


def _by_instruction(name: str) -> Any:
    def emit(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_EIGHT, [_EIGHT]), name)
        return builder.call(function, args)

    return _vector(_vector), emit


@_instruction
def root(_typing: Any, vector: Any) -> Any:
    """Square roots."""
    return _by_instruction(f"llvm.sqrt.v{LANES}f64")


@_instruction
def magnitude(_typing: Any, vector: Any) -> Any:
    """Absolute values."""
    return _by_instruction(f"llvm.fabs.v{LANES}f64")


@_instruction
def larger(_typing: Any, first: Any, second: Any) -> Any:
    """The larger of two numbers, in every lane the second where they do not compare."""

    def emit(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return first(first, first), emit


@_instruction
def where_positive(_typing: Any, condition: Any, vector: Any) -> Any:
    """The vector where the condition is above zero, 0 elsewhere."""

    def emit(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        zero = ir.Constant(_EIGHT, [0.0] * LANES)
        return builder.select(builder.fcmp_ordered(">", args[0], zero), args[1], zero)

    return _vector(_vector, _vector), emit


def _any(builder: Any, lanes: Any) -> Any:
    byte = ir.IntType(LANES)
    return builder.icmp_unsigned("!=", builder.bitcast(lanes, byte), ir.Constant(byte, 0))


@_instruction
def any_positive(_typing: Any, vector: Any) -> Any:
    """Whether a lane is above zero."""

    def emit(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return _any(builder, builder.fcmp_ordered(">", args[0], ir.Constant(_EIGHT, [0.0] * LANES)))

    return types.boolean(_vector), emit


@_instruction
def any_between(_typing: Any, vector: Any, low: Any, high: Any) -> Any:
    """Whether a lane is at or above one number and below another."""

    def emit(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        vector, low, high = args[0], *(_everywhere(builder, number) for number in args[1:])
        inside = builder.and_(builder.fcmp_ordered(">=", vector, low), builder.fcmp_ordered("<", vector, high))
        return _any(builder, inside)

    return types.boolean(_vector, types.float64, types.float64), emit


@_instruction
def lane(_typing: Any, vector: Any, index: Any) -> Any:
    """One of the eight numbers."""

    def emit(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.extract_element(args[0], args[1])

    return types.float64(_vector, types.intp), emit


@_instruction
def spread(_typing: Any, number: Any) -> Any:
    """One number eight times."""

    def emit(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return _everywhere(builder, args[0])

    return _kind(number)(number), emit


@_instruction
def spread_each(_typing: Any, array: Any, count: Any) -> Any:
    """The first numbers of a float64 array, each eight times; how many must be known when this is compiled."""
    number = count.literal_value

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        places = [ir.Constant(args[1].type, k) for k in range(number)]
        numbers = [builder.load(_number(context, builder, sig.args[0], args[0], place)) for place in places]
        return context.make_tuple(builder, sig.return_type, [_everywhere(builder, each) for each in numbers])

    return types.UniTuple(_vector, number)(array, count), emit


@_instruction
def windowed(_typing: Any, array: Any, index: Any, distance: Any, half: Any) -> Any:
    """Sum over a symmetric window of vectors, `distance` apart; a tuple holds half of the weights, the middle last."""
    reach = len(half) - 1

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        array, index, distance, weights = args
        samples = []
        for _ in range(2 * reach + 1):
            samples.append(builder.load(_place(context, builder, sig.args[0], array, index), align=8))
            index = builder.add(index, distance)
        total = builder.fmul(builder.extract_value(weights, reach), samples[reach])
        for k in reversed(range(reach)):
            pair = builder.fadd(samples[k], samples[2 * reach - k])
            total = builder.fadd(total, builder.fmul(builder.extract_value(weights, k), pair))
        return total

    return _vector(array, types.intp, types.intp, half), emit


@_instruction
def transpose(_typing: Any, array: Any, index: Any, distance: Any, place: Any, apart: Any) -> Any:
    """Of eight vectors of an array, `distance` apart, write the first numbers, `apart` from it the second ones, and so on."""
    return _transposition(array, lambda store: store)


@_instruction
def transpose_away(_typing: Any, array: Any, index: Any, distance: Any, place: Any, apart: Any) -> Any:
    """As `transpose`, past the caches, which is faster where the result is not needed soon. It must lie on 64-byte lines."""

    def past(store: Any) -> Any:
        store.align = 8 * LANES
        store.set_metadata("nontemporal", store.parent.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))

    return _transposition(array, past)


def _transposition(array: Any, finish: Callable[[Any], Any]) -> Any:
    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        array, index, distance, place, apart = args
        rows = []
        for _ in range(LANES):
            rows.append(builder.load(_place(context, builder, sig.args[0], array, index), align=8))
            index = builder.add(index, distance)
        for step in (1, 2, 4):
            # Of rows that are `step` apart, blocks of `step` numbers change places across the diagonal.
            lower = [i + (LANES - step if i & step else 0) for i in range(LANES)]
            upper = [i + (LANES if i & step else step) for i in range(LANES)]
            for i in range(LANES):
                if not i & step:
                    pair = rows[i], rows[i + step]
                    rows[i], rows[i + step] = (_shuffled(builder, *pair, order) for order in (lower, upper))
        for row in rows:
            finish(builder.store(row, _place(context, builder, sig.args[0], array, place), align=8))
            place = builder.add(place, apart)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, types.intp, types.intp), emit


@_instruction
def _doubled(_typing: Any, vector: Any, times: Any) -> Any:
    """A vector times two to the power of the whole numbers that the lowest bits of `times` hold."""

    def emit(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        bits, exponents = (builder.bitcast(each, _BITS) for each in args)
        moved = builder.shl(exponents, ir.Constant(_BITS, [52] * LANES))
        return builder.bitcast(builder.add(bits, moved), _EIGHT)

    return _vector(_vector, _vector), emit


_ROUNDER = 1.5 * 2.0**52
"""Added to a number, it leaves the nearest whole one in the lowest bits."""
_LOG2_E = 1.4426950408889634
_LN_2 = 0.6931471805599453
_LN_2_REST = 2.3190468138462996e-17


@jit_fused
def exponential(v: Any) -> Any:
    """e to the power of every lane, within two units of the last place where that is between 1e-300 and 1e300."""
    whole = v * _LOG2_E + _ROUNDER
    times = whole - _ROUNDER
    x = (v - times * _LN_2) - times * _LN_2_REST
    series = x * (1 / 6227020800) + 1 / 479001600
    series = series * x + 1 / 39916800
    series = series * x + 1 / 3628800
    series = series * x + 1 / 362880
    series = series * x + 1 / 40320
    series = series * x + 1 / 5040
    series = series * x + 1 / 720
    series = series * x + 1 / 120
    series = series * x + 1 / 24
    series = series * x + 1 / 6
    series = series * x + 0.5
    series = series * x + 1.0
    series = series * x + 1.0
    return _doubled(series, whole)
