"""Whether there is a GPU, and how much memory it has left, from NVIDIA's driver."""

from __future__ import annotations

import ctypes
import functools
import sys
from typing import Any

_LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def has_gpu() -> bool:
    """Whether NVIDIA's driver is there and knows a GPU; asking takes nothing of its memory.

    >>> from lookalike.embed.runtime.cuda_memory import has_gpu
    >>> has_gpu() in (True, False)
    True
    """
    driver, count = _driver(), ctypes.c_int()
    return driver is not None and not driver.cuDeviceGetCount(ctypes.byref(count)) and count.value > 0


def free_bytes(device: int = 0) -> int | None:
    """Return the free memory of a GPU in bytes, None where there is no GPU or it does not say.

    The number is the driver's, so memory that other programs hold counts as taken.

    >>> from lookalike.embed.runtime.cuda_memory import free_bytes
    >>> free_bytes(device=99) is None
    True
    """
    driver = _driver()
    if driver is None:
        return None
    handle, context = ctypes.c_int(), ctypes.c_void_p()
    # The context that onnxruntime works in; only a thread that has one may ask.
    if driver.cuDeviceGet(ctypes.byref(handle), device):
        return None
    if driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), handle):
        return None
    try:
        return _free_within(driver, context)
    finally:
        driver.cuDevicePrimaryCtxRelease_v2(handle)


def _free_within(driver: Any, context: ctypes.c_void_p) -> int | None:
    if driver.cuCtxPushCurrent_v2(context):
        return None
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    failed = driver.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
    driver.cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))
    return None if failed else int(free.value)


@functools.cache
def _driver() -> Any:
    try:
        driver = ctypes.CDLL(_LIBRARY)
        return None if driver.cuInit(0) else driver
    except (OSError, AttributeError):
        return None
