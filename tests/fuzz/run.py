"""A long run: ``python -m tests.fuzz.run --inputs 100000``. Counts what came of every input."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time

from tests.fuzz.parsers import PARSERS, fuzz


def main() -> int:
    """Feed every parser its share, then the API."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="hostile inputs in all")
    parser.add_argument("--api-examples", type=int, default=60, help="per operation and kind; 0: no API")
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = random.randrange(1_000_000) if given.seed is None else given.seed
    share, total = -(-given.inputs // len(PARSERS)), 0
    print(f"seed {seed}", flush=True)
    for name in PARSERS:
        began = time.perf_counter()
        results = fuzz(name, share, seed)
        total += results.total()
        print(f"{name}: {dict(results)} in {time.perf_counter() - began:.1f} s", flush=True)
    print(f"{total} hostile inputs, none crashed a parser or took longer than its limit", flush=True)
    if not given.api_examples:
        return 0
    command = [sys.executable, "-m", "pytest", "-q", "-s", "tests/fuzz/test_api.py"]
    environment = {**os.environ, "COORD_TEST_FUZZ_EXAMPLES": str(given.api_examples)}
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
