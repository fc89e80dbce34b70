"""One estimator for every source: the motion, the size, the heading and the ends of an object."""
