using System.Collections.Immutable;
using System.Globalization;
using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Stages;

/// <summary>Makes the structure of a layer and keeps it in the store.</summary>
internal sealed class LayerCompressor(LayerStore store, LayerAnalyser analyser, ulong seed, int threads)
{
    /// <summary>Compresses one layer. Memory: the weight, its structure, and for low rank the basis.</summary>
    /// <returns>The piece of the store that holds the structure's tensors by suffix, and whether an earlier run had made it.</returns>
    public async Task<(string Key, bool Reused)> CompressAsync(LayerIntent intent, Candidate candidate, LayerAnalysis analysis, CancellationToken cancellationToken)
    {
        var form = candidate.Form ?? throw new ArgumentException("A kept layer has no structure.", nameof(candidate));
        string key = LayerStore.Key(
            "layer", EngineIdentity.Key, analysis.TensorDigest, intent.Layer.Tensor.DType.ToString(), $"{intent.Layer.Rows}×{intent.Layer.Columns} {intent.Layer.Transposed}",
            ImportanceDigest.Of(intent.Importance), seed.ToString(CultureInfo.InvariantCulture), candidate.Method, $"{intent.Clipping}", form.ToString());
        if (store.TryOpen(key) is { } piece)
        {
            piece.Dispose();
            return (key, true);
        }

        var weight = WeightReader.Read(intent.Layer);
        var structure = Compress(intent, weight, form, analysis);

        // A tensor's name may not be empty, and a dense matrix has the empty suffix: the pieces carry a name of their own.
        ImmutableArray<Tensor> tensors = StructureTensors.Write(structure, TensorPrefix);
        await store.SaveAsync(key, tensors, cancellationToken);
        return (key, false);
    }

    /// <summary>What the names of a piece's tensors begin with; the suffix follows.</summary>
    public const string TensorPrefix = "layer";

    private StructuredMatrix Compress(LayerIntent intent, Matrix weight, StructureForm form, LayerAnalysis analysis)
    {
        switch (form)
        {
            case RowPartitionForm partition:
                return new RowPartitionMatrix([.. partition.Blocks.Select((block, index) =>
                    Compress(intent, weight.RowRange(partition.Blocks.Take(index).Sum(above => above.Rows), block.Rows), block, analysis))]);
            case DenseForm dense:
                return new DenseMatrix(weight, dense.Format);
            case QuantizedForm quantized:
                return RoundToNearest.Quantize(weight, quantized, threads, intent.Clipping);
            case ProductForm product:
                var basis = analyser.LoadBasis(intent, analysis.BasisKey ?? throw new InvalidOperationException($"{intent.Layer.Name} was not analysed for low rank."));
                var settings = new LowRankSettings { Rank = product.Rank, CodeBits = (product.Left as QuantizedForm)?.CodeBits };
                var structure = LowRank.Compress(weight, intent.Importance, basis, settings, threads).Structure;
                return product.Left is DenseForm { Format: not FloatFormat.F32 } narrow ? Narrow((ProductMatrix)structure, narrow.Format) : structure;
            default:
                throw new InvalidOperationException($"No method makes a {form.GetType().Name}.");
        }
    }

    /// <summary>The factors of a 16-bit weight have 16 bits themselves.</summary>
    private static ProductMatrix Narrow(ProductMatrix product, FloatFormat format) =>
        new(new DenseMatrix(product.Left.ToDense(), format), new DenseMatrix(product.Right.ToDense(), format));
}
