"""Numbers for GroupReduceTests, from NumPy in f64: python3 group_reduce.py prints them."""
import itertools
import numpy as np

N, D, C = 300, 24, 4


def instance():
    state, a = 1, np.zeros((N, D), np.float32)
    for i in range(N):
        for j in range(D):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            # Exact in f32: 24 bits, scaled by powers of two; three topics of rows with different leading columns.
            a[i, j] = ((state >> 40) / 2**24 - 0.5) * 2.0 ** -(((j + 8 * (i % 3)) % D) // 4)
    return a.astype(np.float64), np.array([1000.0 / (1 + (i * 7) % N) for i in range(N)])


A, W = instance()
TOTAL = np.sum(W[:, None] * A**2)
ORDER = np.argsort(-W, kind="stable")


def tails(rows):
    s = np.linalg.svd(np.sqrt(W[rows])[:, None] * A[rows], compute_uv=False) ** 2
    return np.append(np.cumsum(s[::-1])[::-1], 0)


def vectors(rows, rank):
    return np.linalg.svd(np.sqrt(W[rows])[:, None] * A[rows], full_matrices=False)[2][:rank]


def cost(n, k):
    """A rank of 0 stands for the block's own entries."""
    return n * D if k == 0 else k * (n + D)


def paper(groups, budget):
    means = np.array([W[g].mean() for g in groups])

    def ranks(base):
        ks = [int(np.clip(np.floor(base * m / means[means > 0].min()), 1, D)) for m in means]
        return [0 if k >= min(len(g), D) or cost(len(g), k) >= len(g) * D else k for g, k in zip(groups, ks)]

    low, high = 0.0, float(D)
    for _ in range(60):
        middle = (low + high) / 2
        fits = sum(cost(len(g), k) for g, k in zip(groups, ranks(middle))) <= budget
        low, high = (middle, high) if fits else (low, middle)
    return ranks(low)


def error(groups, ranks):
    return sum(0 if k == 0 else tails(g)[k] for g, k in zip(groups, ranks)) / TOTAL


def move(groups, ranks, budget):
    residuals = np.zeros((N, len(groups)))
    for p, (g, k) in enumerate(zip(groups, ranks)):
        if k:
            residuals[:, p] = np.sum(A**2, 1) - np.sum((A @ vectors(g, k).T) ** 2, 1)
    row = np.array([D if k == 0 else k for k in ranks])
    rest = budget - sum(k * D for k in ranks)
    low, high = 1e-12, 1e6
    for _ in range(100):
        middle = np.sqrt(low * high)
        label = np.argmin(W[:, None] * residuals + middle * row, 1)
        low, high = (low, middle) if row[label].sum() <= rest else (middle, high)
    label = np.argmin(W[:, None] * residuals + high * row, 1)
    return [np.where(label == p)[0] for p in range(len(groups))]


def optimum(groups, budget):
    options = [[(n * D, 0.0)] + [(cost(n, k), t[k]) for k in range(1, min(n, D)) if cost(n, k) < n * D] for n, t in ((len(g), tails(g)) for g in groups)]
    return min(sum(o[1] for o in chosen) for chosen in itertools.product(*options) if sum(o[0] for o in chosen) <= budget) / TOTAL


for rank in (2, 5):
    budget = rank * (N + D)
    u, s, v = np.linalg.svd(A, full_matrices=False)
    plain = np.sum(W[:, None] * (A - (u[:, :rank] * s[:rank]) @ v[:rank]) ** 2) / TOTAL
    equal = np.array_split(ORDER, C)
    ks = paper(equal, budget)
    moved = move(equal, ks, budget)
    print("rank", rank, "budget", budget)
    print("  SVD %.12g  weighted SVD %.12g" % (plain, tails(np.arange(N))[rank] / TOTAL))
    print("  paper's ranks", ks, "%.12g, rows moved once %.6g" % (error(equal, ks), error(moved, ks)))
    growing = np.split(ORDER, [64, 107, 179])
    print("  growing blocks, least error of any ranks %.12g, of one step less %.12g" % (optimum(growing, budget), optimum(growing, budget - (121 + D))))
