"""Both embedding benchmarks: python -m benchmarks.embed [--threads N] [--quick]."""

from __future__ import annotations

from benchmarks.embed import retrieval, throughput

if __name__ == "__main__":
    throughput.main()
    retrieval.main()
