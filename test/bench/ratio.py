"""Ratios of two stacks' rates from rounds in which each had its turn, and how far to trust them."""
import math

# Two-sided 95 % of Student's t for 1, 2, ... degrees of freedom; beyond the table the normal distribution's is close enough.
T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
       2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042]
ROUNDS_FOR_CONFIDENCE = 6


def rate(turns):
    """All that was carried, over all the time that it took; turns: [(amount, seconds)]."""
    return sum(amount for amount, _ in turns) / sum(seconds for _, seconds in turns)


def _residuals(turns):
    """How far each round is off the overall rate, relative to the mean amount: the linear part of log(rate)."""
    overall, mean = rate(turns), sum(amount for amount, _ in turns) / len(turns)
    return [(amount - overall * seconds) / mean for amount, seconds in turns]


def ratio(ours, theirs):
    """(ratio, low, high) of two lists of (amount, seconds), element i of both from the same round.

    From six rounds on low and high bound the 95 % confidence interval of the ratio of the overall rates (delta method on
    its logarithm, rounds paired); with fewer they are the smallest and the largest ratio of a single round."""
    if rate(ours) == 0 or rate(theirs) == 0:
        return (0.0, 0.0, 0.0) if rate(theirs) else (math.inf, math.inf, math.inf)
    r, n = rate(ours) / rate(theirs), len(ours)
    if n < ROUNDS_FOR_CONFIDENCE:
        single = [rate([o]) / rate([t]) if rate([t]) else math.inf for o, t in zip(ours, theirs)]
        return r, min(single), max(single)
    off = [a - b for a, b in zip(_residuals(ours), _residuals(theirs))]
    mean = sum(off) / n
    deviation = math.sqrt(sum((x - mean) ** 2 for x in off) / (n - 1) / n)
    width = math.exp((T95[n - 2] if n - 2 < len(T95) else 1.96) * deviation)
    return r, r / width, r * width


def jain(amounts):
    """Jain's fairness index: 1 if all got the same, 1/n if one got everything."""
    squares = sum(a * a for a in amounts)
    return sum(amounts) ** 2 / (len(amounts) * squares) if squares else 0.0
