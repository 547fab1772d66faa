"""The ratio of times of two runs that have nothing in common, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median, variance


def ratio_of_independent(
    slow: Sequence[float], fast: Sequence[float]
) -> tuple[float, tuple[float, float] | None]:
    """Launch medians of one over the other's, and its 95 % interval; None below two launches each.

    Welch's t on the logarithms, since times differ by factors (Welch 1947, Biometrika 34). Launches
    of different runs cannot be paired: what drifted did not hit them alike.
    """
    value = median(slow) / median(fast)
    if min(len(slow), len(fast)) < 2 or min(*slow, *fast) <= 0:
        return value, None
    a, b = [math.log(x) for x in slow], [math.log(x) for x in fast]
    errors = [variance(a) / len(a), variance(b) / len(b)]
    centre, error = fmean(a) - fmean(b), math.sqrt(sum(errors))
    if error == 0:
        return value, (math.exp(centre), math.exp(centre))
    # SciPy takes a second to load: only where two records are compared.
    from scipy.stats import t

    degrees = sum(errors) ** 2 / sum(
        e**2 / (len(x) - 1) for e, x in zip(errors, (a, b), strict=True)
    )
    half = float(t.ppf(0.975, degrees)) * error
    return value, (math.exp(centre - half), math.exp(centre + half))
