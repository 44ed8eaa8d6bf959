"""Recall of the approximate indexes as they come, over data x growth x metric x element x index.

No argument is given to ours: what is measured is what somebody gets who reads no further than `add` and
`search`. The data are chosen to be unlike one another, and unlike what defaults are usually chosen on; the
growths are the ways in which an index comes by its rows.
"""

from __future__ import annotations

K = 10  # neighbours
ROWS = 12000  # of a data set, where neither it nor the growth asks for fewer
SEED = 0
