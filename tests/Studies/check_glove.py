"""The columns of singular value decompositions in results/glove.md, from NumPy in f64.

python3 check_glove.py CONDENSE_SHARED_DATA prints, for each exponent and ratio, the squared relative error in the norm of the weights.
"""
import sys
import numpy as np

table = np.load(f"{sys.argv[1]}/embeddings/glove.6B.100d/vectors.top40000.npy").astype(np.float64)
rows, columns = table.shape
for exponent in (1, 0.75):
    weights = (1 / (np.arange(rows) + 50)) ** exponent
    energy = np.sum(weights[:, None] * table**2)
    right = np.linalg.svd(table, full_matrices=False)[2]
    values, vectors = np.linalg.eigh((table * weights[:, None]).T @ table)
    for ratio in (4, 8, 16):
        rank = int(rows * columns / ratio) // (rows + columns)
        plain = np.sum(weights[:, None] * (table - table @ right[:rank].T @ right[:rank]) ** 2) / energy
        weighted = np.sum(values[: columns - rank]) / energy
        print(f"exponent {exponent}, ratio {ratio}, rank {rank}: SVD {plain:.4f}, weighted SVD {weighted:.4f}")
