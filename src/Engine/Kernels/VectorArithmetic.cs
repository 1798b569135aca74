using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Condense.Engine.Kernels;

/// <summary>
/// Sums and updates of vectors in f64. Always four lanes in the same order, emulated where the machine has fewer, so the result is the same on every
/// machine.
/// </summary>
internal static class VectorArithmetic
{
    private const int Lanes = 4;

    /// <summary><c>Σ xᵢ·yᵢ</c> (BLAS 1 dot).</summary>
    public static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        ref double px = ref MemoryMarshal.GetReference(x), py = ref MemoryMarshal.GetReference(y[..x.Length]);
        Vector256<double> first = Vector256<double>.Zero, second = first, third = first, fourth = first;
        nuint i = 0, length = (nuint)x.Length;
        for (; i + (4 * Lanes) <= length; i += 4 * Lanes)
        {
            first = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref px, i), Vector256.LoadUnsafe(ref py, i), first);
            second = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref px, i + 4), Vector256.LoadUnsafe(ref py, i + 4), second);
            third = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref px, i + 8), Vector256.LoadUnsafe(ref py, i + 8), third);
            fourth = Vector256.FusedMultiplyAdd(Vector256.LoadUnsafe(ref px, i + 12), Vector256.LoadUnsafe(ref py, i + 12), fourth);
        }

        double sum = Total((first + second) + (third + fourth));
        for (; i < length; i++)
        {
            sum = Math.FusedMultiplyAdd(Unsafe.Add(ref px, i), Unsafe.Add(ref py, i), sum);
        }

        return sum;
    }

    /// <summary><c>y ← y + α·x</c> (BLAS 1 axpy).</summary>
    public static void AddScaled(double alpha, ReadOnlySpan<double> x, Span<double> y)
    {
        ref double px = ref MemoryMarshal.GetReference(x), py = ref MemoryMarshal.GetReference(y[..x.Length]);
        var factor = Vector256.Create(alpha);
        nuint i = 0, length = (nuint)x.Length;
        for (; i + Lanes <= length; i += Lanes)
        {
            Vector256.FusedMultiplyAdd(factor, Vector256.LoadUnsafe(ref px, i), Vector256.LoadUnsafe(ref py, i)).StoreUnsafe(ref py, i);
        }

        for (; i < length; i++)
        {
            Unsafe.Add(ref py, i) = Math.FusedMultiplyAdd(alpha, Unsafe.Add(ref px, i), Unsafe.Add(ref py, i));
        }
    }

    /// <summary><c>z ← z + α·x + β·y</c>: one row of a symmetric rank-2 update.</summary>
    public static void AddScaled(double alpha, ReadOnlySpan<double> x, double beta, ReadOnlySpan<double> y, Span<double> z)
    {
        ref double px = ref MemoryMarshal.GetReference(x), py = ref MemoryMarshal.GetReference(y[..x.Length]), pz = ref MemoryMarshal.GetReference(z[..x.Length]);
        Vector256<double> first = Vector256.Create(alpha), second = Vector256.Create(beta);
        nuint i = 0, length = (nuint)x.Length;
        for (; i + Lanes <= length; i += Lanes)
        {
            var sum = Vector256.FusedMultiplyAdd(first, Vector256.LoadUnsafe(ref px, i), Vector256.LoadUnsafe(ref pz, i));
            Vector256.FusedMultiplyAdd(second, Vector256.LoadUnsafe(ref py, i), sum).StoreUnsafe(ref pz, i);
        }

        for (; i < length; i++)
        {
            double sum = Math.FusedMultiplyAdd(alpha, Unsafe.Add(ref px, i), Unsafe.Add(ref pz, i));
            Unsafe.Add(ref pz, i) = Math.FusedMultiplyAdd(beta, Unsafe.Add(ref py, i), sum);
        }
    }

    /// <summary><c>Σ xᵢ²</c>, widened before it is squared.</summary>
    public static double SquaredNorm(ReadOnlySpan<float> x)
    {
        ref float px = ref MemoryMarshal.GetReference(x);
        Vector256<double> first = Vector256<double>.Zero, second = first;
        nuint i = 0, length = (nuint)x.Length;
        for (; i + 8 <= length; i += 8)
        {
            var (low, high) = Vector256.Widen(Vector256.LoadUnsafe(ref px, i));
            first = Vector256.FusedMultiplyAdd(low, low, first);
            second = Vector256.FusedMultiplyAdd(high, high, second);
        }

        double sum = Total(first + second);
        for (; i < length; i++)
        {
            double value = Unsafe.Add(ref px, i);
            sum = Math.FusedMultiplyAdd(value, value, sum);
        }

        return sum;
    }

    /// <summary><c>Σ (xᵢ − yᵢ)²</c>, widened before the difference is taken.</summary>
    public static double SquaredDistance(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        ref float px = ref MemoryMarshal.GetReference(x), py = ref MemoryMarshal.GetReference(y[..x.Length]);
        Vector256<double> first = Vector256<double>.Zero, second = first;
        nuint i = 0, length = (nuint)x.Length;
        for (; i + 8 <= length; i += 8)
        {
            var (lowX, highX) = Vector256.Widen(Vector256.LoadUnsafe(ref px, i));
            var (lowY, highY) = Vector256.Widen(Vector256.LoadUnsafe(ref py, i));
            var low = lowX - lowY;
            var high = highX - highY;
            first = Vector256.FusedMultiplyAdd(low, low, first);
            second = Vector256.FusedMultiplyAdd(high, high, second);
        }

        double sum = Total(first + second);
        for (; i < length; i++)
        {
            double difference = (double)Unsafe.Add(ref px, i) - Unsafe.Add(ref py, i);
            sum = Math.FusedMultiplyAdd(difference, difference, sum);
        }

        return sum;
    }

    /// <summary>The four lanes in a fixed order; the horizontal sum of the library may take another on another machine.</summary>
    private static double Total(Vector256<double> lanes) => (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}
