using Condense.Engine.Matrices;
using Condense.Models.Graph;

namespace Condense.Models.Tensors;

/// <summary>Weights as matrices.</summary>
public static class WeightReader
{
    /// <summary>
    /// Reads a layer as f32, out×in: transposed where the file stores it the other way round, kernels folded, f16/bf16/f64/f8 converted (f64 and
    /// infinite results of it round as IEEE does). Memory: the matrix and a buffer of 1 MiB. O(elements).
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static Matrix Read(Layer layer) => throw new NotSupportedException();

    /// <summary>The index of the first NaN or infinity in the order of the file, or −1. A buffer of 1 MiB; O(elements).</summary>
    /// <param name="tensor">Any tensor; integers have none.</param>
    public static long FindNonFinite(Tensor tensor) => throw new NotSupportedException();
}
