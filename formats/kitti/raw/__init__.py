"""The drives as they were recorded, synchronised and rectified."""
