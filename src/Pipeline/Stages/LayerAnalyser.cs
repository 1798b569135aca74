using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Methods.LowRank;
using Condense.Engine.Structures;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Stages;

/// <summary>Measures what the candidates of a layer would lose, and keeps the measurements in the store.</summary>
internal sealed class LayerAnalyser(LayerStore store, ulong seed, int threads)
{
    private const string Losses = "losses";
    private const string Values = "singular_values";
    private const string Energy = "energy";
    private const string Basis = "basis";

    /// <summary>
    /// Analyses one layer: dense and quantized candidates exactly, products from the singular values. O(m·n·min(m, n)) where there are products, else
    /// O(m·n) per candidate; memory: the weight and a square of the smaller side.
    /// </summary>
    /// <returns>The analysis, and whether an earlier run had made it.</returns>
    public async Task<(LayerAnalysis Analysis, bool Reused)> AnalyseAsync(LayerIntent intent, ImmutableArray<Candidate> candidates, CancellationToken cancellationToken)
    {
        string digest = TensorDigest.Of(intent.Layer.Tensor.Data, cancellationToken);
        int maxRank = candidates.Max(candidate => (candidate.Form as ProductForm)?.Rank ?? 0);
        string key = KeyOf(intent, candidates, digest, maxRank);
        if (store.TryOpen(key) is { } piece)
        {
            using (piece)
            {
                var losses = piece.Tensors.First(tensor => string.Equals(tensor.Name, Losses, StringComparison.Ordinal));
                return (new LayerAnalysis(digest, [.. ReadDoubles(losses.Data)], maxRank > 0 ? key : null), true);
            }
        }

        var weight = WeightReader.Read(intent.Layer);
        var basis = maxRank > 0 ? LowRankBasis.Compute(weight, intent.Importance, maxRank, seed, threads, cancellationToken) : null;
        double energy = basis?.TotalEnergy ?? ErrorMeasure.Energy(weight, intent.Importance);
        double[] relative = new double[candidates.Length];
        for (int i = 0; i < relative.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            double error = candidates[i].Form switch
            {
                null => 0,
                DenseForm dense => FloatRounding.SquaredError(weight, dense.Format, intent.Importance),
                QuantizedForm quantized => RoundToNearest.SquaredError(weight, quantized, intent.Importance),
                ProductForm product => LowRank.PredictSquaredError(basis!, product),
                var other => throw new InvalidOperationException($"No method makes a {other.GetType().Name}."),
            };
            relative[i] = energy > 0 ? error / energy : 0;
        }

        var tensors = ImmutableArray.CreateBuilder<Tensor>();
        tensors.Add(Doubles(Losses, relative));
        if (basis is not null)
        {
            tensors.Add(Doubles(Energy, [basis.TotalEnergy]));
            tensors.Add(Doubles(Values, basis.SingularValues));
            tensors.Add(new Tensor(Basis, DType.F32, new TensorShape(basis.RightBasis.Rows, basis.RightBasis.Columns), Bytes<float>(basis.RightBasis.Values)));
        }

        await store.SaveAsync(key, tensors.ToImmutable(), cancellationToken);
        return (new LayerAnalysis(digest, [.. relative], maxRank > 0 ? key : null), false);
    }

    /// <summary>The singular basis that an analysis has stored.</summary>
    public LowRankBasis LoadBasis(LayerIntent intent, string key)
    {
        double[] values = ReadDoubles(store.Load(key, Values));
        double energy = ReadDoubles(store.Load(key, Energy))[0];
        float[] entries = MemoryMarshal.Cast<byte, float>(store.Load(key, Basis).Bytes.Span).ToArray();
        int rows = intent.Layer.Columns;
        return new LowRankBasis(values, energy, new Matrix(rows, rows == 0 ? 0 : entries.Length / rows, entries));
    }

    private string KeyOf(LayerIntent intent, ImmutableArray<Candidate> candidates, string digest, int maxRank)
    {
        string forms = LayerStore.Key([.. candidates.Select(candidate => $"{candidate.Method} {candidate.Form}")]);
        return LayerStore.Key(
            "analysis", EngineIdentity.Key, digest, intent.Layer.Tensor.DType.ToString(), $"{intent.Layer.Rows}×{intent.Layer.Columns} {intent.Layer.Transposed}",
            ImportanceDigest.Of(intent.Importance), seed.ToString(CultureInfo.InvariantCulture), maxRank.ToString(CultureInfo.InvariantCulture), forms);
    }

    private static Tensor Doubles(string name, double[] values) => new(name, DType.F64, new TensorShape(values.Length), Bytes<double>(values));

    private static MemoryTensorData Bytes<T>(ReadOnlySpan<T> values)
        where T : unmanaged => new(MemoryMarshal.AsBytes(values).ToArray());

    private static double[] ReadDoubles(TensorData data)
    {
        double[] values = new double[data.ByteLength / sizeof(double)];
        data.Read(0, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
