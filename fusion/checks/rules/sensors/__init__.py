"""Where not a label is wrong but a sensor, its place, or its clock."""
