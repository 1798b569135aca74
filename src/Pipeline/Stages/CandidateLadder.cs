using System.Collections.Immutable;
using Condense.Engine.Structures;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Stages;

/// <summary>Everything that may be done with a layer, by shape alone: no weight is read.</summary>
internal static class CandidateLadder
{
    /// <summary>Up to this rank every rank is tried, above it steps of half a percent: finer than any target asks.</summary>
    private const int EveryRank = 200;

    /// <summary>The smaller side up to which a factorization finds the whole spectrum in seconds.</summary>
    public const int WholeSpectrumSide = 1500;

    private const double DefaultParameterRatio = 4;

    /// <summary>The candidates of a layer; the first is <see cref="Candidate.Keep"/> where that is allowed. O(ranks).</summary>
    /// <param name="model">The model, for what its consumers can take.</param>
    /// <param name="intent">What the recipe allows.</param>
    /// <param name="withTarget">True: everything that is allowed, for a planner to choose from. False: the one that the rule asks for.</param>
    /// <param name="smallestOnly">Of each kind of form only the one of fewest bytes, bits and numbers: enough to say whether a target is within reach.</param>
    public static ImmutableArray<Candidate> Build(Model model, LayerIntent intent, bool withTarget, bool smallestOnly = false)
    {
        var candidates = ImmutableArray.CreateBuilder<Candidate>();
        if (intent.MayKeep)
        {
            candidates.Add(Candidate.Keep);
        }

        // Whether the consumers can take a form depends on its kind, not on its rank: one question per kind.
        var supported = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (string method in intent.Methods)
        {
            var offers = method switch
            {
                MethodNames.GroupReduce => GroupedForms.Of(intent, withTarget),
                MethodNames.Float16 => Of(Float16Forms(intent)),
                MethodNames.Quantize => Of(QuantizedLadder.Forms(intent.Layer, intent.Settings as QuantizeChoice, withTarget, model.Program is not null, IsSupported)),
                MethodNames.Mixed => Of(MixedForms(intent, withTarget, smallestOnly, model.Program is not null, IsSupported)),
                _ => Of(LowRankForms(intent, withTarget, smallestOnly)),
            };
            IEnumerable<Candidate> Of(IEnumerable<StructureForm> forms) => forms.Select(form => new Candidate(method, form));

            var tried = new HashSet<string>(StringComparer.Ordinal);
            foreach (var offer in offers)
            {
                if ((tried.Add(Kind(offer.Form!)) || !smallestOnly) && IsSupported(offer.Form!))
                {
                    candidates.Add(offer);
                }
            }
        }

        return candidates.ToImmutable();

        bool IsSupported(StructureForm form)
        {
            string kind = Kind(form);
            if (!supported.TryGetValue(kind, out bool yes))
            {
                yes = ModelRewriter.Supports(model, intent.Layer, form);
                supported.Add(kind, yes);
            }

            return yes;
        }
    }

    /// <summary>The word for a form's kind: everything but its rank, of which packed codes make known whether rows fill bytes.</summary>
    public static string Kind(StructureForm form) => form switch
    {
        ProductForm product => $"{Kind(product.Left)}*{Kind(product.Right)}",
        QuantizedForm { IsPacked: true } packed => $"p{packed.CodeBits}{packed.Symmetric}{packed.Granularity}{packed.GroupSize} {packed.Rows % 4} {packed.Columns % 4}",
        QuantizedForm quantized => $"q{quantized.CodeBits}{quantized.Symmetric}{quantized.Granularity}{quantized.GroupSize}",
        DenseForm dense => $"{dense.Format}",
        RowPartitionForm partition => string.Join('/', partition.Blocks.Select(Kind)) + (partition.Permuted ? " permuted" : ""),
        _ => throw new ArgumentException($"The form {form.GetType().Name} has no kind.", nameof(form)),
    };

    private static IEnumerable<StructureForm> Float16Forms(LayerIntent intent) =>
        intent.Layer.Tensor.DType is DType.F32 or DType.F64 ? [new DenseForm(intent.Layer.Rows, intent.Layer.Columns, FloatFormat.F16)] : [];

    /// <summary>Partitions of the rows in two, in steps of <see cref="RowChunks"/>.</summary>
    private static IEnumerable<StructureForm> MixedForms(LayerIntent intent, bool withTarget, bool smallestOnly, bool inGraph, Func<StructureForm, bool> supported)
    {
        int rows = intent.Layer.Rows;
        if (rows < 2)
        {
            yield break;
        }

        if (intent.Settings is MixedChoice asked && (!withTarget || asked.WideRows is not null))
        {
            yield return RowFormats.Mix(
                RowFormats.Plain(intent.Layer, asked.WideBits), RowFormats.Plain(intent.Layer, asked.NarrowBits), Math.Min(asked.WideRows ?? rows / 2, rows - 1), rows);
            yield break;
        }

        // Neighbours among the formats that a planner would choose between: what lies between two of them is a mixture of the two.
        var formats = RowFormats.Chain(intent.Layer, inGraph, supported);
        for (int i = 1; i < formats.Count; i++)
        {
            // Boundaries ascend, and so do the bytes.
            foreach (int boundary in RowChunks.Boundaries(rows).Take(smallestOnly ? 1 : rows))
            {
                yield return RowFormats.Mix(formats[i], formats[i - 1], boundary, rows);
            }
        }
    }

    private static IEnumerable<StructureForm> LowRankForms(LayerIntent intent, bool withTarget, bool smallestOnly)
    {
        var (rows, columns) = (intent.Layer.Rows, intent.Layer.Columns);
        var asked = intent.Settings as LowRankChoice ?? new LowRankChoice();
        if (!withTarget || asked.Rank is not null || asked.ParameterRatio is not null)
        {
            int rank = asked.Rank ?? RankOf(rows, columns, asked.ParameterRatio ?? DefaultParameterRatio);
            int[] widths = asked.FactorBits is { } given ? [given] : withTarget ? [32, 8] : [32];
            foreach (int bits in widths)
            {
                yield return Product(intent.Layer, rank, bits);
            }

            yield break;
        }

        int[] tried = asked.FactorBits is { } one ? [one] : [32, 8];
        long before = intent.Layer.StoredBytes;
        int limit = smallestOnly ? 1 : MaxRank(rows, columns);
        foreach (int bits in tried)
        {
            for (int rank = 1; rank <= limit; rank = rank < EveryRank ? rank + 1 : Math.Max(rank + 1, (int)(rank * 1.005)))
            {
                var form = Product(intent.Layer, rank, bits);
                if (form.StorageBits / 8 >= before)
                {
                    break;
                }

                yield return form;
            }
        }
    }

    /// <summary>
    /// The highest rank that is tried. Beyond <see cref="WholeSpectrumSide"/> only the head of the spectrum is computed; a third of it already costs more
    /// bytes than the whole weight in int8.
    /// </summary>
    private static int MaxRank(int rows, int columns)
    {
        int side = Math.Min(rows, columns);
        return side <= WholeSpectrumSide ? side : side / 3;
    }

    /// <summary>The largest rank r ≥ 1 with <c>r·(m+n) ≤ m·n ÷ ratio</c>.</summary>
    private static int RankOf(int rows, int columns, double ratio) =>
        (int)Math.Clamp(Math.Floor((double)rows * columns / (ratio * ((double)rows + columns))), 1, Math.Min(rows, columns));

    /// <summary>The format of factors: 16 bits where they are asked for, or where the weight has no more itself.</summary>
    /// <param name="factorBits">16 or 32.</param>
    /// <param name="type">The weight's type.</param>
    public static FloatFormat FactorFormat(int factorBits, DType type) => (factorBits, type) switch
    {
        (16, DType.BF16) or (32, DType.BF16) => FloatFormat.BF16,
        (16, _) or (_, DType.F16) => FloatFormat.F16,
        _ => FloatFormat.F32,
    };

    private static ProductForm Product(Layer layer, int rank, int factorBits)
    {
        if (factorBits == 8)
        {
            // Columns of the left factor fall off like the singular values; rows of the right factor are unit vectors.
            return new ProductForm(
                new QuantizedForm(layer.Rows, rank, 8, symmetric: true, QuantizationGranularity.PerColumn),
                new QuantizedForm(rank, layer.Columns, 8, symmetric: true, QuantizationGranularity.PerRow));
        }

        var format = FactorFormat(factorBits, layer.Tensor.DType);
        return new ProductForm(new DenseForm(layer.Rows, rank, format), new DenseForm(rank, layer.Columns, format));
    }
}
