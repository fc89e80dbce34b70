"""Compiled loops of point files; formats/pointcloud/pcd.py stands in front of them."""

from numba import njit


@njit(cache=True, nogil=True)
def unpack_lzf(packed, unpacked):
    """LZF (Lehmann) into `unpacked`; returns how many bytes were made, -1 where the stream is damaged."""
    at, end, out, room = 0, packed.shape[0], 0, unpacked.shape[0]
    while at < end:
        control = int(packed[at])
        at += 1
        if control < 32:
            count = control + 1
            if at + count > end or out + count > room:
                return -1
            for k in range(count):
                unpacked[out + k] = packed[at + k]
            at += count
        else:
            count = control >> 5
            if count == 7:
                if at >= end:
                    return -1
                count += int(packed[at])
                at += 1
            count += 2
            if at >= end:
                return -1
            start = out - ((control & 31) << 8) - int(packed[at]) - 1
            at += 1
            if start < 0 or out + count > room:
                return -1
            for k in range(count):
                unpacked[out + k] = unpacked[start + k]
        out += count
    return out
