"""Well-known libraries whose sources the tests read, fetched once from the package indexes.

``python -m tests.symbols.packages`` fetches them beforehand; without that the first test does. They lie in
``build/sources`` and are known by their digests.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLACE = Path(__file__).parents[2] / "build" / "sources"


@dataclass(frozen=True)
class Package:
    """One archive: from the npm registry or (a source distribution) from PyPI."""

    file: str
    digest: str
    fetch: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Where the archive lies."""
        return PLACE / self.file

    def is_here(self) -> bool:
        """Whether it has been fetched, whole and unchanged."""
        return self.path.exists() and hashlib.sha256(self.path.read_bytes()).hexdigest() == self.digest

    def sources(self, under: str, *endings: str) -> Iterator[tuple[str, bytes]]:
        """Its files below ``under`` with one of the endings: name and content."""
        with tarfile.open(self.path) as archive:
            for member in archive:
                name = member.name.partition("/")[2]
                if member.isfile() and name.startswith(under) and name.endswith(endings):
                    content = archive.extractfile(member)
                    assert content is not None
                    yield name, content.read()


def _npm(name: str, version: str, digest: str) -> Package:
    return Package(f"{name}-{version}.tgz", digest, ("npm", "pack", "--silent", f"{name}@{version}"))


def _pypi(name: str, version: str, digest: str) -> Package:
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:")
    return Package(f"{name}-{version}.tar.gz", digest, (*pip, f"{name}=={version}"))


TYPESCRIPT = _npm("rxjs", "7.8.2", "2312f8ffd9726ffd7bd53ea12c5f13663d09a3dc3326f448c70b88f5ef6fac82")
JAVASCRIPT = _npm("lodash", "4.18.1", "696942c2a488c9d7428e9ca5f12ccf03b52de01dcdbfe4d4751d392f0491ae16")
GO = _pypi("gojsonnet", "0.22.0", "b00f09e019d403fc5fb0e691e043115dd84548e055c018638e22b6b7e9829d09")
EVERY = (TYPESCRIPT, JAVASCRIPT, GO)


def fetch() -> None:
    """Have every archive, from now on without the network. Raises ``RuntimeError`` saying what is missing."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for package in EVERY:
            if not package.is_here():
                _fetch(package)


def _fetch(package: Package) -> None:
    if shutil.which(package.fetch[0]) is None:
        raise RuntimeError(f"{package.fetch[0]} is needed to fetch {package.file}, which the tests read")
    done = subprocess.run(package.fetch, cwd=PLACE, capture_output=True, text=True, timeout=300)
    if done.returncode or not package.is_here():
        said = (done.stderr.strip() or "another file was sent").splitlines()[-1]
        raise RuntimeError(f"{package.file} cannot be fetched: {said}")


if __name__ == "__main__":
    fetch()
