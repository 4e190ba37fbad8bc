"""`python -m mmclf` is the command `mmclf`."""

import sys

from mmclf.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
