"""``python -m webapp`` is ``license-desk``, so that a checkout needs no installation."""

from webapp.commands import main

main()
