using System.Numerics;
using System.Runtime.CompilerServices;

namespace Condense.Engine.Kernels;

/// <summary>The inner loop of every product: a tile of <see cref="Rows"/> rows by two vectors, held in registers.</summary>
internal static unsafe class ProductTile
{
    /// <summary>Rows of a tile: 6·2 sums, 2 vectors of B and 1 of A are the 16 registers of AVX2.</summary>
    public const int Rows = 6;

    /// <summary>Columns of a tile: two vectors.</summary>
    public static int Columns<T>() => 2 * Vector<T>.Count;

    /// <summary>
    /// <c>C = A·B</c> for one tile. Each lane is one entry of C and its sum runs over the depth in order with one rounding per step, so the result depends
    /// neither on the width of the vectors nor on the threads.
    /// </summary>
    /// <param name="depth">Terms of each sum.</param>
    /// <param name="a">depth × Rows, packed.</param>
    /// <param name="b">depth × Columns, packed.</param>
    /// <param name="c">Rows × Columns, without padding.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<T>(int depth, T* a, T* b, T* c)
        where T : unmanaged
    {
        int width = Vector<T>.Count;
        Vector<T> c00 = Vector<T>.Zero, c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
        Vector<T> c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
        for (int k = 0; k < depth; k++, a += Rows, b += 2 * width)
        {
            Vector<T> b0 = Vector.Load(b), b1 = Vector.Load(b + width);
            var x = new Vector<T>(a[0]);
            c00 = MultiplyAdd(x, b0, c00);
            c01 = MultiplyAdd(x, b1, c01);
            x = new Vector<T>(a[1]);
            c10 = MultiplyAdd(x, b0, c10);
            c11 = MultiplyAdd(x, b1, c11);
            x = new Vector<T>(a[2]);
            c20 = MultiplyAdd(x, b0, c20);
            c21 = MultiplyAdd(x, b1, c21);
            x = new Vector<T>(a[3]);
            c30 = MultiplyAdd(x, b0, c30);
            c31 = MultiplyAdd(x, b1, c31);
            x = new Vector<T>(a[4]);
            c40 = MultiplyAdd(x, b0, c40);
            c41 = MultiplyAdd(x, b1, c41);
            x = new Vector<T>(a[5]);
            c50 = MultiplyAdd(x, b0, c50);
            c51 = MultiplyAdd(x, b1, c51);
        }

        Store(c, width, c00, c01);
        Store(c + (2 * width), width, c10, c11);
        Store(c + (4 * width), width, c20, c21);
        Store(c + (6 * width), width, c30, c31);
        Store(c + (8 * width), width, c40, c41);
        Store(c + (10 * width), width, c50, c51);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(T* c, int width, Vector<T> first, Vector<T> second)
        where T : unmanaged
    {
        Vector.Store(first, c);
        Vector.Store(second, c + width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<T> MultiplyAdd<T>(Vector<T> x, Vector<T> y, Vector<T> sum) =>
        typeof(T) == typeof(float)
            ? Vector.FusedMultiplyAdd(x.As<T, float>(), y.As<T, float>(), sum.As<T, float>()).As<float, T>()
            : Vector.FusedMultiplyAdd(x.As<T, double>(), y.As<T, double>(), sum.As<T, double>()).As<double, T>();
}
