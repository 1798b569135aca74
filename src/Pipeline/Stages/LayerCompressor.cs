using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Condense.Engine.Factorizations;
using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Stages;

/// <summary>Makes the structure of a layer and keeps it in the store.</summary>
internal sealed class LayerCompressor(LayerStore store, LayerAnalyser analyser, ulong seed, int threads)
{
    /// <summary>What the name of a block low rank's least error is, relative and squared, in the norm that was minimised.</summary>
    public const string Bound = "bound";

    private const string MadeForm = "form";

    /// <summary>Compresses one layer. Memory: the weight, its structure, and for low rank the basis.</summary>
    /// <returns>The finished piece; its form is the candidate's, or after refinement one that takes no more bits.</returns>
    public async Task<CompressedPiece> CompressAsync(LayerIntent intent, Candidate candidate, LayerAnalysis analysis, CancellationToken cancellationToken)
    {
        if (await FindAsync(intent, candidate, analysis, cancellationToken) is { } found)
        {
            return found;
        }

        var form = candidate.Form!;
        string key = KeyOf(intent, candidate, analysis);
        var basis = form is ProductForm && candidate.Grouping is null ? await analyser.LoadBasisAsync(intent, analysis, cancellationToken) : null;
        var weight = WeightReader.Read(intent.Layer);
        var made = ImmutableArray.CreateBuilder<Tensor>();
        StructuredMatrix structure;
        if (candidate.Grouping is { } grouping)
        {
            (structure, double bound) = Group(intent, weight, form, grouping, cancellationToken);
            byte[] text = JsonSerializer.SerializeToUtf8Bytes(structure.Form);
            made.Add(new Tensor(MadeForm, DType.U8, new TensorShape(text.Length), new MemoryTensorData(text)));
            made.Add(new Tensor(Bound, DType.F64, new TensorShape(1), new MemoryTensorData(BitConverter.GetBytes(bound))));
        }
        else
        {
            structure = Compress(intent, weight, form, basis);
        }

        // A tensor's name may not be empty, and a dense matrix has the empty suffix: the pieces carry a name of their own.
        made.AddRange(StructureTensors.Write(structure, TensorPrefix));
        await store.SaveAsync(key, made.ToImmutable(), LayerCost.IsWorthAsking(intent), cancellationToken);
        return new CompressedPiece(key, structure.Form, Reused: false);
    }

    /// <summary>The piece that an earlier run has made; null when there is none.</summary>
    public async Task<CompressedPiece?> FindAsync(LayerIntent intent, Candidate candidate, LayerAnalysis analysis, CancellationToken cancellationToken)
    {
        string key = KeyOf(intent, candidate, analysis);
        if (!await store.FindAsync(key, LayerCost.IsWorthAsking(intent), cancellationToken))
        {
            return null;
        }

        return new CompressedPiece(key, candidate.Grouping is null ? candidate.Form! : JsonSerializer.Deserialize<StructureForm>(store.Load(key, MadeForm).Bytes.Span)!, Reused: true);
    }

    private string KeyOf(LayerIntent intent, Candidate candidate, LayerAnalysis analysis)
    {
        var form = candidate.Form ?? throw new ArgumentException("A kept layer has no structure.", nameof(candidate));

        // Factors follow from the basis, and what iteration finds of that from the highest rank that was asked for. Groups have bases of their own.
        string basis = form is ProductForm && candidate.Grouping is null ? analysis.BasisKey ?? "" : "";
        return LayerStore.Key(
            "layer", EngineIdentity.Key, analysis.TensorDigest, intent.Layer.Tensor.DType.ToString(), $"{intent.Layer.Rows}×{intent.Layer.Columns} {intent.Layer.Transposed}",
            ImportanceDigest.Of(intent.Importance), seed.ToString(CultureInfo.InvariantCulture), candidate.Method, $"{intent.Clipping}", form.ToString(), candidate.Grouping?.ToString() ?? "", basis);
    }

    /// <summary>The blocks of a form, rows moved between them while the error falls; and the least relative squared error of blocks of these rows and ranks.</summary>
    private (StructuredMatrix Structure, double Bound) Group(LayerIntent intent, Matrix weight, StructureForm form, Grouping grouping, CancellationToken cancellationToken)
    {
        var blocks = GroupedForms.Blocks(form);
        var budget = grouping.ParameterRatio is null
            ? new GroupBudget(blocks.Sum(block => block.StorageBits), CountsBits: true)
            : new GroupBudget(form.ParameterCount, CountsBits: false);
        var settings = new GroupReduceSettings { Blocks = blocks.Length, Ranks = grouping.Ranks, RefinementRounds = grouping.Rounds, Entry = grouping.Entry, Budget = budget };
        var groups = RowGroups.ByWeight(intent.Importance, GroupedForms.Sizes(form));
        var basis = GroupBasis.Compute(weight, intent.Importance, groups, seed, threads, cancellationToken);
        var (refined, plan) = GroupReduce.Refine(weight, intent.Importance, basis, basis.Plan(blocks), settings, seed, threads, observe: null, cancellationToken);
        double bound = refined.TotalEnergy > 0 ? refined.Bound(plan) / refined.TotalEnergy : 0;
        return (GroupReduce.Build(weight, intent.Importance, refined, plan, grouping.Entry, threads), bound);
    }

    /// <summary>What the names of a piece's tensors begin with; the suffix follows.</summary>
    public const string TensorPrefix = "layer";

    private StructuredMatrix Compress(LayerIntent intent, Matrix weight, StructureForm form, LowRankBasis? basis)
    {
        switch (form)
        {
            case RowPartitionForm partition:
                return new RowPartitionMatrix([.. partition.Blocks.Select((block, index) =>
                    Compress(intent, weight.RowRange(partition.Blocks.Take(index).Sum(above => above.Rows), block.Rows), block, basis))]);
            case DenseForm dense:
                return new DenseMatrix(weight, dense.Format);
            case QuantizedForm quantized:
                return RoundToNearest.Quantize(weight, quantized, threads, intent.Clipping);
            case ProductForm product:
                var settings = new LowRankSettings { Rank = product.Rank, CodeBits = (product.Left as QuantizedForm)?.CodeBits };
                var structure = LowRank.Compress(weight, intent.Importance, basis!, settings, threads).Structure;
                return product.Left is DenseForm { Format: not FloatFormat.F32 } narrow ? Narrow((ProductMatrix)structure, narrow.Format) : structure;
            default:
                throw new InvalidOperationException($"No method makes a {form.GetType().Name}.");
        }
    }

    /// <summary>The factors of a 16-bit weight have 16 bits themselves.</summary>
    private static ProductMatrix Narrow(ProductMatrix product, FloatFormat format) =>
        new(new DenseMatrix(product.Left.ToDense(), format), new DenseMatrix(product.Right.ToDense(), format));
}
