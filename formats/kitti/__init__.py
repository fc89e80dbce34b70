"""The files of KITTI tracking (Geiger et al., 2012), which `formats.kitti_tracking` puts together."""
