"""One box fitted to the points that a person pointed at.

A guess (an arrow that was drawn through the thing, or a box that is about right) and the points around it are
weighed against each other: what was seen decides, and where nothing was seen, what is known of such things.
"""

from autolabel.fit.fit import Cloud, fit_again, fit_new, ready
from autolabel.fit.guess import Guess
from autolabel.fit.usual import Usual, usual_of, usual_size

__all__ = ["Cloud", "Guess", "Usual", "fit_again", "fit_new", "ready", "usual_of", "usual_size"]
