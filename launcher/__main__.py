"""``python -m launcher``: called by ``./run``."""

import sys

from launcher.cli import main

sys.exit(main(sys.argv[1:]))
