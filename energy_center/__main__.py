"""`python -m energy_center` is the `energy-center` command."""

import sys

from energy_center.cli import main

sys.exit(main())
