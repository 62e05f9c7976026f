"""`python -m cnnctl`."""

from cnnctl.cli import main

main()
