"""`python -m cli`: the console script, by any interpreter."""

from cli.app import main

main()
