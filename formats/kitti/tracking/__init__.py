"""The tracking benchmark: sequences with a file of labels, a calibration and folders of frames each."""
