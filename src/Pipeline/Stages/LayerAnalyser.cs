using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Condense.Engine.Factorizations;
using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Stages;

/// <summary>Measures what the candidates of a layer would lose, and keeps the measurements in the store.</summary>
internal sealed class LayerAnalyser(LayerStore store, ulong seed, int threads)
{
    private const string Losses = "losses";
    private const string Grouped = "grouped_forms";
    private const string Scalars = "energy_and_weight_sum";
    private const string SquaredValues = "squared_singular_values";
    private const string Peaks = "left_peaks";
    private const string Leverage = "left_leverage";
    private const string Vectors = "right_vectors";

    private readonly Dictionary<string, string> _digests = new(StringComparer.Ordinal);

    /// <summary>
    /// Analyses one layer: dense and quantized candidates exactly, products from the singular values. O(m·n·min(m, n)) where there are products, else
    /// O(m·n) per candidate; memory: the weight and a square of the smaller side.
    /// </summary>
    /// <returns>The analysis, and whether an earlier run had made it.</returns>
    public async Task<(LayerAnalysis Analysis, bool Reused)> AnalyseAsync(LayerIntent intent, ImmutableArray<Candidate> candidates, CancellationToken cancellationToken)
    {
        if (await FindAsync(intent, candidates, cancellationToken) is { } found)
        {
            return (found, true);
        }

        var (digest, maxRank, key) = Name(intent, candidates, cancellationToken);
        bool shared = LayerCost.IsWorthAsking(intent);
        var weight = WeightReader.Read(intent.Layer);
        var basis = maxRank > 0 ? LowRankBasis.Compute(weight, intent.Importance, maxRank, seed, threads, cancellationToken) : null;
        var (relative, forms) = Predict(intent, candidates, weight, basis, cancellationToken);

        var tensors = ImmutableArray.CreateBuilder<Tensor>();
        byte[] written = JsonSerializer.SerializeToUtf8Bytes(forms);
        tensors.Add(Doubles(Losses, relative));
        tensors.Add(new Tensor(Grouped, DType.U8, new TensorShape(written.Length), new MemoryTensorData(written)));
        if (basis is not null)
        {
            tensors.Add(Doubles(Scalars, [basis.TotalEnergy, basis.WeightSum]));
            tensors.Add(Doubles(SquaredValues, basis.SquaredValues));
            tensors.Add(Doubles(Peaks, basis.Left.Peaks));
            tensors.Add(Doubles(Leverage, basis.Left.Leverage));

            // A piece of its own: who plans does not need it, and it is as large as the weight.
            await SaveVectorsAsync(key, basis, shared, cancellationToken);
        }

        await store.SaveAsync(key, tensors.ToImmutable(), shared, cancellationToken);
        return (new LayerAnalysis(digest, Resolve(candidates, forms), [.. relative], maxRank > 0 ? key : null, maxRank), false);
    }

    /// <summary>The analysis that an earlier run has made; null when there is none.</summary>
    public async Task<LayerAnalysis?> FindAsync(LayerIntent intent, ImmutableArray<Candidate> candidates, CancellationToken cancellationToken)
    {
        var (digest, maxRank, key) = Name(intent, candidates, cancellationToken);
        if (!await store.FindAsync(key, LayerCost.IsWorthAsking(intent), cancellationToken))
        {
            return null;
        }

        var grouped = JsonSerializer.Deserialize<GroupedForm[]>(store.Load(key, Grouped).Bytes.Span)!;
        return new LayerAnalysis(digest, Resolve(candidates, grouped), [.. ReadDoubles(store.Load(key, Losses))], maxRank > 0 ? key : null, maxRank);
    }

    /// <summary>The singular basis of an analysis. Its vectors are computed once more where they have not come along.</summary>
    public async Task<LowRankBasis> LoadBasisAsync(LayerIntent intent, LayerAnalysis analysis, CancellationToken cancellationToken)
    {
        string key = analysis.BasisKey ?? throw new ArgumentException($"{intent.Layer.Name} was not analysed for low rank.", nameof(analysis));
        bool shared = LayerCost.IsWorthAsking(intent);
        if (!await store.FindAsync(VectorsOf(key), shared, cancellationToken))
        {
            var basis = LowRankBasis.Compute(WeightReader.Read(intent.Layer), intent.Importance, analysis.MaxRank, seed, threads, cancellationToken);
            await SaveVectorsAsync(key, basis, shared, cancellationToken);
            return basis;
        }

        double[] scalars = ReadDoubles(store.Load(key, Scalars));
        float[] entries = MemoryMarshal.Cast<byte, float>(store.Load(VectorsOf(key), Vectors).Bytes.Span).ToArray();
        int columns = intent.Layer.Columns;
        return new LowRankBasis(
            intent.Layer.Rows,
            columns,
            totalEnergy: scalars[0],
            weightSum: scalars[1],
            ReadDoubles(store.Load(key, SquaredValues)),
            new Matrix(entries.Length / Math.Max(1, columns), columns, entries),
            new LeftColumns(ReadDoubles(store.Load(key, Peaks)), ReadDoubles(store.Load(key, Leverage))));
    }

    /// <summary>The squared singular values that an analysis has stored, and all the energy: what a basis knows without its vectors.</summary>
    public (double[] SquaredValues, double Energy) LoadSpectrum(string key) =>
        (ReadDoubles(store.Load(key, SquaredValues)), ReadDoubles(store.Load(key, Scalars))[0]);

    /// <summary>The candidates, each grouped one replaced by those that were found for it.</summary>
    private static ImmutableArray<Candidate> Resolve(ImmutableArray<Candidate> candidates, GroupedForm[] grouped)
    {
        var found = grouped.ToLookup(form => form.Candidate, form => form.Form);
        return [.. candidates.SelectMany((candidate, index) => candidate.Grouping is null ? [candidate] : found[index].Select(form => candidate with { Form = form }))];
    }

    /// <summary>Losses of all candidates: squared error ÷ energy; and the forms of the grouped ones, each of which has a loss of its own.</summary>
    private (double[] Losses, GroupedForm[] Grouped) Predict(
        LayerIntent intent, ImmutableArray<Candidate> candidates, Matrix weight, LowRankBasis? basis, CancellationToken cancellationToken)
    {
        // One curve over all ranks for each width of the factors.
        var curves = new Dictionary<int, double[]>();
        var chunks = new RowChunks(weight, intent.Importance, threads);
        var groups = new GroupedAnalysis(intent, weight, seed, threads, cancellationToken);
        var relative = new List<double>(candidates.Length);
        var grouped = new List<GroupedForm>();
        for (int i = 0; i < candidates.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (candidates[i].Grouping is not null)
            {
                foreach (var (form, loss) in groups.Resolve(candidates[i]))
                {
                    grouped.Add(new GroupedForm(i, form));
                    relative.Add(loss);
                }

                continue;
            }

            switch (candidates[i].Form)
            {
                case null:
                    relative.Add(0);
                    break;
                case DenseForm dense:
                    relative.Add(Relative(FloatConversion.Predict(weight, intent.Importance, dense.Format, threads)));
                    break;
                case QuantizedForm { Granularity: QuantizationGranularity.PerRow or QuantizationGranularity.PerGroup } rows when intent.Clipping is null:
                    // Mixtures ask for the same runs of rows.
                    relative.Add(chunks.Predict([rows]));
                    break;
                case QuantizedForm quantized:
                    relative.Add(Relative(RoundToNearest.Predict(weight, intent.Importance, quantized, threads, intent.Clipping)));
                    break;
                case RowPartitionForm partition:
                    relative.Add(chunks.Predict(partition.Blocks));
                    break;
                case ProductForm product:
                    int? bits = (product.Left as QuantizedForm)?.CodeBits;
                    if (!curves.TryGetValue(bits ?? 0, out double[]? curve))
                    {
                        curve = LowRank.PredictSquaredErrors(basis!, bits);
                        curves.Add(bits ?? 0, curve);
                    }

                    relative.Add(Relative(basis!, curve, product));
                    break;
                case var other:
                    throw new InvalidOperationException($"No method makes a {other.GetType().Name}.");
            }
        }

        return ([.. relative], [.. grouped]);
    }

    /// <summary>Left factors are larger than the weight's entries: beyond the range of what they are stored in, there is no product.</summary>
    private static double Relative(LowRankBasis basis, double[] curve, ProductForm product)
    {
        double largest = DenseMatrix.Largest((product.Left as DenseForm)?.Format ?? FloatFormat.F32);
        return !basis.Left.Peaks.AsSpan(0, product.Rank).ContainsAnyExceptInRange(0, largest) && double.IsFinite(curve[product.Rank])
            ? basis.TotalEnergy > 0 ? curve[product.Rank] / basis.TotalEnergy : 0
            : double.PositiveInfinity;
    }

    private static double Relative(ErrorMeasure error) =>
        error.WeightedSquaredNorm > 0 ? error.WeightedSquaredError / error.WeightedSquaredNorm
        : error.WeightedSquaredError > 0 ? double.PositiveInfinity
        : 0;

    private static string VectorsOf(string key) => LayerStore.Key("vectors", key);

    private Task SaveVectorsAsync(string key, LowRankBasis basis, bool shared, CancellationToken cancellationToken)
    {
        var vectors = new Tensor(Vectors, DType.F32, new TensorShape(basis.RightVectors.Rows, basis.RightVectors.Columns), Bytes<float>(basis.RightVectors.Values));
        return store.SaveAsync(VectorsOf(key), [vectors], shared, cancellationToken);
    }

    /// <summary>What an analysis goes by. The tensor is read once for all times that it is asked for.</summary>
    private (string Digest, int MaxRank, string Key) Name(LayerIntent intent, ImmutableArray<Candidate> candidates, CancellationToken cancellationToken)
    {
        if (!_digests.TryGetValue(intent.Layer.Name, out string? digest))
        {
            digest = TensorDigest.Of(intent.Layer.Tensor.Data, cancellationToken);
            _digests.Add(intent.Layer.Name, digest);
        }

        int maxRank = candidates.Max(candidate => candidate.Grouping is null ? (candidate.Form as ProductForm)?.Rank ?? 0 : 0);
        return (digest, maxRank, KeyOf(intent, candidates, digest, maxRank));
    }

    private string KeyOf(LayerIntent intent, ImmutableArray<Candidate> candidates, string digest, int maxRank)
    {
        string forms = LayerStore.Key([.. candidates.Select(candidate => $"{candidate.Method} {candidate.Form} {candidate.Grouping}")]);
        return LayerStore.Key(
            "analysis", EngineIdentity.Key, digest, intent.Layer.Tensor.DType.ToString(), $"{intent.Layer.Rows}×{intent.Layer.Columns} {intent.Layer.Transposed}",
            ImportanceDigest.Of(intent.Importance), seed.ToString(CultureInfo.InvariantCulture), maxRank.ToString(CultureInfo.InvariantCulture), $"{intent.Clipping}", forms);
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

    /// <summary>A form that was found for a grouped candidate.</summary>
    /// <param name="Candidate">The number of the candidate in the ladder.</param>
    /// <param name="Form">The form.</param>
    private sealed record GroupedForm(int Candidate, StructureForm Form);
}
