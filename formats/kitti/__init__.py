"""KITTI (Geiger, Lenz, Stiller, Urtasun, 2012 and 2013), which published one drive in three layouts.

    tracking/   the tracking benchmark: sequences, a file a sequence      formats.kitti_tracking
    object/     the object benchmark: frames, none connected to another   formats.kitti_object
    raw/        the drives as recorded, with tracklets in XML             formats.kitti_raw

Here stands what they share: calib.txt, poses of the inertial unit, lines of labels, scans, and the view of
any log that one camera and one LiDAR have.
"""
