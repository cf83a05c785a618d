"""Expressions and the table of operations: what there is to differentiate.

Whoever imports any of it has every constructor: the rows with parameters and the parts of arrays register theirs here.
"""

from matcalc.core import linear_algebra as linear_algebra
from matcalc.core import parts as parts
