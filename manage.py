#!/usr/bin/env python
"""Django's command line for this checkout; ``coord`` is the same once installed."""

import sys

from coordsite.cli import main

if __name__ == "__main__":
    sys.exit(main())
