"""Our distance kernels against NumKong's, timed in compiled loops."""

from __future__ import annotations
