using BenchmarkDotNet.Attributes;
using Condense.Engine.Factorizations;
using Condense.Engine.Kernels;
using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using MathNet.Numerics.LinearAlgebra;
using Peer = MathNet.Numerics.LinearAlgebra.Single;
using WidePeer = MathNet.Numerics.LinearAlgebra.Double;

namespace Condense.Benchmarks;

/// <summary>The engine's floor beside MathNet's managed one, on one thread.</summary>
[ShortRunJob]
public class EngineBenchmarks
{
    private readonly Matrix _table = Random(2000, 300, 1);
    private readonly Matrix _square = Random(512, 512, 2);
    private Peer.DenseMatrix _peerSquare = null!;
    private WidePeer.DenseMatrix _peerTable = null!;
    private WidePeer.DenseMatrix _peerGram = null!;

    /// <summary>The same numbers for the peer.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        MathNet.Numerics.Control.MaxDegreeOfParallelism = 1;
        _peerSquare = Peer.DenseMatrix.OfColumnMajor(_square.Rows, _square.Columns, _square.Values);
        _peerTable = WidePeer.DenseMatrix.OfColumnMajor(_table.Rows, _table.Columns, _table.Values.Select(value => (double)value));
        _peerGram = (WidePeer.DenseMatrix)_peerTable.TransposeThisAndMultiply(_peerTable);
    }

    /// <summary>A 512³ product.</summary>
    [Benchmark]
    public Matrix Product() => Gemm.Multiply(_square, _square);

    /// <summary>A 512³ product, MathNet.</summary>
    [Benchmark]
    public object ProductByMathNet() => _peerSquare.Multiply(_peerSquare);

    /// <summary>The Gram matrix of 2000×300 in f64.</summary>
    [Benchmark]
    public double[] GramMatrix() => Gram.OfColumns(_table);

    /// <summary>The Gram matrix of 2000×300 in f64, MathNet.</summary>
    [Benchmark]
    public object GramMatrixByMathNet() => _peerTable.TransposeThisAndMultiply(_peerTable);

    /// <summary>The spectrum and 64 vectors of 2000×300.</summary>
    [Benchmark]
    public LowRankBasis LowRank() => LowRankBasis.Compute(_table, Importance.None, 64, 1, 1, CancellationToken.None);

    /// <summary>The eigenvalues and vectors of the 300×300 Gram matrix alone, MathNet.</summary>
    [Benchmark]
    public object EigenByMathNet() => _peerGram.Evd(Symmetricity.Symmetric);

    private static Matrix Random(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        var matrix = new Matrix(rows, columns);
        for (int i = 0; i < matrix.Values.Length; i++)
        {
            matrix.Values[i] = random.NextSingle() - 0.5f;
        }

        return matrix;
    }
}
