"""The bug zoo: gradients that people get wrong, by topic, and what a good teacher would say.

Collected from forums, course assignments and issue trackers, without a look at what the program knows; with some that are right
though they do not look it, and some nonsense. ``bug_zoo_row`` says how a row is read.
"""

import bug_zoo_assignments
import bug_zoo_coursework
import bug_zoo_homework
import bug_zoo_layers
import bug_zoo_losses
import bug_zoo_matrices
import bug_zoo_normalisation
import bug_zoo_sequences
import bug_zoo_statistics
import bug_zoo_verdicts
import bug_zoo_written

TOPICS = {
    "layers": bug_zoo_layers.ROWS,
    "losses": bug_zoo_losses.ROWS,
    "sequences": bug_zoo_sequences.ROWS,
    "matrices": bug_zoo_matrices.ROWS,
    "normalisation": bug_zoo_normalisation.ROWS,
    "statistics": bug_zoo_statistics.ROWS,
    "verdicts": bug_zoo_verdicts.ROWS,
    "homework": bug_zoo_homework.ROWS,
    "coursework": bug_zoo_coursework.ROWS,
    "assignments": bug_zoo_assignments.ROWS,
    "written": bug_zoo_written.ROWS,
}
ROWS = [row for rows in TOPICS.values() for row in rows]
