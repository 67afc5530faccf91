"""Windowed sums rounded as single precision rounds them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import jit

Single = NDArray[np.float32]


@jit
def correlate(image: Single, kernel: Single) -> Single:
    """Weighted sums where the kernel fits, every product added with one rounding, row by row of the kernel.

    That is what PyTorch's convolution on a CPU does. The product of two singles is exact in double precision, so the
    rounding does not depend on whether the machine can fuse the two operations.
    """
    rows, columns = kernel.shape
    out = np.zeros((image.shape[0] - rows + 1, image.shape[1] - columns + 1), np.float32)
    for y in range(out.shape[0]):
        line = out[y]
        for i in range(rows):
            for j in range(columns):
                weight = np.float64(kernel[i, j])
                samples = image[y + i, j : j + line.size]
                for x in range(line.size):
                    line[x] = np.float32(np.float64(samples[x]) * weight + np.float64(line[x]))
    return out
