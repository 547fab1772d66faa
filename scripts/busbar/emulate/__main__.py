import sys

from busbar.emulate import main

sys.exit(main())
