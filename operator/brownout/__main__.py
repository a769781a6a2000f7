"""`python -m brownout`, `brownout` and `kubectl brownout` are the same program."""

import sys

from brownout.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
