"""A large school, many cameras, a long run. Prints ``name: value`` lines last.

    python -m benchmarks.load pages     every page and API list of a school with a million marks, on PostgreSQL
    python -m benchmarks.load cameras   5, 20 and 60 cameras, 2 and 12 megapixels, under and beyond capacity
    python -m benchmarks.load soak      5,000 photos through one worker process
    python -m benchmarks.load gallery   the roster match by the size of the roster; photos an hour by processes
    python -m benchmarks.load seed      only the school, into the database of DATABASE_URL

Each part starts what it needs (database server, Redis, web server, worker) in folders of its own and takes it away
afterwards. Group photos for cameras and soak are read from ``--groups``. No part needs a quiet machine to run, but
its figures do.
"""

from __future__ import annotations

import argparse
import os

from benchmarks.load import cameras, gallery, pages, seed, soak

PARTS = {"pages": pages, "cameras": cameras, "soak": soak, "gallery": gallery, "seed": seed}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="part", required=True)
    for name, module in PARTS.items():
        module.add_arguments(parts.add_parser(name, help=str(module.__doc__).partition("\n")[0]))
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start", flush=True)
    found = PARTS[given.part].measure(given)
    for name, value in found.items() if isinstance(found, dict) else found:
        print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}", flush=True)


if __name__ == "__main__":
    main()
