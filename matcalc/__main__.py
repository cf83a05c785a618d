"""``python -m matcalc`` is the command line."""

from matcalc.cli import main

main(prog_name="matcalc")
