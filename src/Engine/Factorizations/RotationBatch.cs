using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Condense.Engine.Kernels;

namespace Condense.Engine.Factorizations;

/// <summary>
/// The vectors of a tridiagonal matrix while plane rotations of neighbouring rows turn them into its eigenvectors. The rotations are collected and applied
/// together, slab by slab of <see cref="Width"/> columns, so that a slab stays in the cache and the slabs are independent of each other.
/// </summary>
internal sealed class RotationBatch
{
    private const int Width = 32;
    private const int Capacity = 16384;

    private readonly int _n;
    private readonly int _threads;
    private readonly double[][] _slabs;
    private readonly Rotation[] _rotations = new Rotation[Capacity];
    private int _count;

    /// <summary>Starts from the identity.</summary>
    public RotationBatch(int n, int threads)
    {
        _n = n;
        _threads = threads;
        _slabs = new double[RowBlocks.Count(n, Width)][];
        for (int slab = 0; slab < _slabs.Length; slab++)
        {
            _slabs[slab] = new double[n * Width];
            for (int j = 0; j < Math.Min(Width, n - (slab * Width)); j++)
            {
                _slabs[slab][(((slab * Width) + j) * Width) + j] = 1;
            }
        }
    }

    /// <summary>Rotates rows: <c>zᵢ₊₁ ← s·zᵢ + c·zᵢ₊₁</c>, <c>zᵢ ← c·zᵢ − s·zᵢ₊₁</c>.</summary>
    public void Add(int row, double cosine, double sine)
    {
        if (_count == Capacity)
        {
            Apply();
        }

        _rotations[_count++] = new Rotation(row, cosine, sine);
    }

    /// <summary>The rows in the order given, one vector a row.</summary>
    public double[] Gather(ReadOnlySpan<int> order)
    {
        Apply();
        var vectors = new double[order.Length * _n];
        for (int i = 0; i < order.Length; i++)
        {
            for (int slab = 0; slab < _slabs.Length; slab++)
            {
                int width = Math.Min(Width, _n - (slab * Width));
                _slabs[slab].AsSpan(order[i] * Width, width).CopyTo(vectors.AsSpan((i * _n) + (slab * Width)));
            }
        }

        return vectors;
    }

    private void Apply()
    {
        RowBlocks.ForEach(_slabs.Length, 1, _threads, (slab, _, _) => Rotate(_slabs[slab], _rotations.AsSpan(0, _count)));
        _count = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rotate(double[] slab, ReadOnlySpan<Rotation> rotations)
    {
        ref double start = ref MemoryMarshal.GetArrayDataReference(slab);
        foreach (ref readonly var rotation in rotations)
        {
            ref double upper = ref Unsafe.Add(ref start, rotation.Row * Width);
            ref double lower = ref Unsafe.Add(ref upper, Width);
            Vector256<double> cosine = Vector256.Create(rotation.Cosine), sine = Vector256.Create(rotation.Sine);
            for (nuint j = 0; j < Width; j += 4)
            {
                var x = Vector256.LoadUnsafe(ref upper, j);
                var y = Vector256.LoadUnsafe(ref lower, j);
                Vector256.FusedMultiplyAdd(sine, x, cosine * y).StoreUnsafe(ref lower, j);
                Vector256.FusedMultiplyAdd(cosine, x, -(sine * y)).StoreUnsafe(ref upper, j);
            }
        }
    }

    private readonly record struct Rotation(int Row, double Cosine, double Sine);
}
