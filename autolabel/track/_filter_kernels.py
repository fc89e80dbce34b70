"""The filter of tracking: one object's state from frame to frame, compiled.

A state is (x, y, yaw, speed, turn rate) of what rolls and (x, y, yaw, vx, vy) of what walks; the first
three are measured. Speed is signed and headings count modulo half a turn, so flipped boxes do no harm.
"""

import numpy as np
from numba import njit

SIZE = 5
TURN_FADES_S = 1.5
OUTLYING = 3.0


@njit(cache=True, nogil=True)
def half_turn(angle):
    """An angle modulo pi, in [-pi / 2, pi / 2]."""
    return angle - np.pi * np.round(angle / np.pi)


@njit(cache=True, nogil=True)
def begin(box, sigma_m, habits, state, cov):
    """The state after one sighting."""
    rolls, _, _, _, fastest_mps, turning, sigma_rad = habits
    state[0], state[1], state[2], state[3], state[4] = box[0], box[1], box[6], 0.0, 0.0
    cov[:] = 0.0
    cov[0, 0] = cov[1, 1] = sigma_m * sigma_m
    cov[2, 2] = sigma_rad * sigma_rad
    cov[3, 3] = (fastest_mps / 2) ** 2
    cov[4, 4] = turning * turning if rolls > 0 else cov[3, 3]


@njit(cache=True, nogil=True)
def predict(state, cov, span_s, habits, jacobian, room):
    """Moves a state on in place: constant turn rate and speed if it rolls, else constant velocity."""
    rolls, along, _, slip, _, turning, _ = habits
    jacobian[:] = 0.0
    for i in range(SIZE):
        jacobian[i, i] = 1.0
    if rolls > 0:
        fading = np.exp(-span_s / TURN_FADES_S)
        c, s = np.cos(state[2] + state[4] * span_s / 2), np.sin(state[2] + state[4] * span_s / 2)
        way = state[3] * span_s
        jacobian[0, 2], jacobian[1, 2] = -way * s, way * c
        jacobian[0, 3], jacobian[1, 3] = span_s * c, span_s * s
        jacobian[0, 4], jacobian[1, 4] = -way * s * span_s / 2, way * c * span_s / 2
        jacobian[2, 4], jacobian[4, 4] = span_s, fading
        state[0] += way * c
        state[1] += way * s
        state[2] += state[4] * span_s
        state[4] *= fading
    else:
        jacobian[0, 3] = jacobian[1, 4] = span_s
        state[0] += state[3] * span_s
        state[1] += state[4] * span_s
    for i in range(SIZE):
        for j in range(SIZE):
            total = 0.0
            for m in range(SIZE):
                total += jacobian[i, m] * cov[m, j]
            room[i, j] = total
    for i in range(SIZE):
        for j in range(SIZE):
            total = 0.0
            for m in range(SIZE):
                total += room[i, m] * jacobian[j, m]
            cov[i, j] = total
    far, mid = span_s**3 / 3, span_s**2 / 2
    if rolls > 0:
        a = along * along
        drift = slip * slip * span_s
        cov[0, 0] += a * far * c * c + drift * s * s
        cov[1, 1] += a * far * s * s + drift * c * c
        cov[0, 1] += (a * far - drift) * c * s
        cov[1, 0] = cov[0, 1]
        for i, part in ((0, c), (1, s)):
            cov[i, 3] += a * mid * part
            cov[3, i] = cov[i, 3]
        cov[3, 3] += a * span_s
        t = turning * turning
        cov[2, 2] += t * far
        cov[2, 4] += t * mid
        cov[4, 2] = cov[2, 4]
        cov[4, 4] += t * span_s
    else:
        a = along * along
        for i in range(2):
            cov[i, i] += a * far
            cov[i, 3 + i] += a * mid
            cov[3 + i, i] = cov[i, 3 + i]
            cov[3 + i, 3 + i] += a * span_s
        cov[2, 2] += turning * turning * span_s


@njit(cache=True, nogil=True)
def see(state, cov, box, sigma_m, sigma_rad, room):
    """Takes in a box in place: its place, then its heading, which counts less the further off it is."""
    observe(state, cov, 0, box[0] - state[0], sigma_m * sigma_m, room)
    observe(state, cov, 1, box[1] - state[1], sigma_m * sigma_m, room)
    off = half_turn(box[6] - state[2])
    spread = np.sqrt(cov[2, 2] + sigma_rad * sigma_rad)
    doubt = max(1.0, abs(off) / (OUTLYING * spread))
    observe(state, cov, 2, off, (sigma_rad * doubt * doubt) ** 2, room)


@njit(cache=True, nogil=True)
def observe(state, cov, at, off, variance, room):
    """A Kalman update with one number."""
    total = cov[at, at] + variance
    for i in range(SIZE):
        room[i, 0] = cov[i, at] / total
        room[i, 1] = cov[at, i]
    for i in range(SIZE):
        state[i] += room[i, 0] * off
        for j in range(SIZE):
            cov[i, j] -= room[i, 0] * room[j, 1]
