using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Condense.Engine.Structures;
using Condense.Models;
using Condense.Models.Rewriting;

namespace Condense.Pipeline.Stages;

/// <summary>
/// What names, nodes and metadata add to a file beside a structure's own numbers. One layer of each kind of use is measured with each kind of form, in a
/// file where all other layers are as small as they can be, so that constants which layers share are not counted for each; layers alike differ by their
/// names alone.
/// </summary>
internal sealed class FileOverheads
{
    private const int MaxInput = 8;

    private readonly Model _model;
    private readonly ImmutableArray<LayerIntent> _intents;
    private readonly Candidate[] _plan;

    // The number of each layer's use among all that differ: a use of thousands of nodes is described once, not compared for every candidate.
    private readonly int[] _uses;

    private readonly Dictionary<(int Use, string Kind), (long Bytes, long NameBytes)> _measured = [];

    private readonly Dictionary<int, long> _withoutLayer = [];

    /// <summary>Prepares measuring. O(candidates + uses).</summary>
    /// <param name="model">The model to rewrite.</param>
    /// <param name="intents">Its layers.</param>
    /// <param name="candidates">The candidates of each.</param>
    public FileOverheads(Model model, ImmutableArray<LayerIntent> intents, ImmutableArray<ImmutableArray<Candidate>> candidates)
    {
        _model = model;
        _intents = intents;
        var uses = new Dictionary<string, int>(StringComparer.Ordinal);
        _uses = [.. intents.Select(DescribeUse).Select(use => uses.TryAdd(use, uses.Count) ? uses.Count - 1 : uses[use])];
        _plan = [.. candidates.Select((ladder, layer) => ladder.MinBy(candidate => candidate.Bytes(intents[layer].Layer) + Guess(intents[layer], candidate)) ?? Candidate.Keep)];
    }

    /// <summary>Bytes that a candidate takes beside its tensors' own. The first of its kind is measured, O(nodes + tensors); others are looked up.</summary>
    public long Of(int layer, Candidate candidate)
    {
        if (candidate.Form is not { } form)
        {
            return 0;
        }

        var intent = _intents[layer];
        var key = (_uses[layer], CandidateLadder.Kind(form));
        long name = NameBytes(intent);
        if (!_measured.TryGetValue(key, out var known))
        {
            known = (MeasureWith(layer, candidate) - Without(layer) - candidate.Bytes(intent.Layer) + intent.Layer.StoredBytes, name);
            _measured.Add(key, known);
        }

        return known.Bytes + ((name - known.NameBytes) * NameCount(intent, form));
    }

    private long Without(int layer)
    {
        if (!_withoutLayer.TryGetValue(layer, out long bytes))
        {
            bytes = MeasureWith(layer, Candidate.Keep);
            _withoutLayer.Add(layer, bytes);
        }

        return bytes;
    }

    private long MeasureWith(int layer, Candidate candidate)
    {
        var before = _plan[layer];
        _plan[layer] = candidate;
        long bytes = Measure(_plan);
        _plan[layer] = before;
        return bytes;
    }

    /// <summary>The exact size of a plan's file, laid out without its numbers. O(nodes + tensors).</summary>
    public long Measure(IReadOnlyList<Candidate> plan)
    {
        var layers = plan
            .Select((candidate, index) => (candidate, index))
            .Where(pair => pair.candidate.Form is not null)
            .Select(pair => new CompressedLayer(_intents[pair.index].Layer, pair.candidate.Form!, Data: null, pair.candidate.Method))
            .ToArray();
        using var rewritten = ModelRewriter.Rewrite(_model, layers);
        return ModelWriter.Measure(rewritten);
    }

    /// <summary>All of a layer that emitted nodes depend on, but for its name and sizes.</summary>
    private static string DescribeUse(LayerIntent intent)
    {
        var layer = intent.Layer;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{layer.StoredType} {layer.Tensor.Shape.Rank} {layer.Transposed} {layer.Constant is null} {layer.Quantized.IsEmpty} {layer.Scope?.Parent is null}");
        foreach (var use in layer.Uses.Concat(layer.Consumers))
        {
            // Operators that are rewritten have fewer inputs: where a weight stands among more makes no difference to what is emitted.
            text.Append(CultureInfo.InvariantCulture, $" {use.Node.OpType}/{Math.Min(use.Input, MaxInput)}");
        }

        return text.ToString();
    }

    /// <summary>Names and nodes by rule of thumb: enough to choose what the measurements stand on.</summary>
    private static long Guess(LayerIntent intent, Candidate candidate)
    {
        if (candidate.Form is not { } form)
        {
            return 0;
        }

        const int PerTensor = 96;
        const int PerLayer = 320;
        const int PerUse = 120;
        return (CountTensors(form) * PerTensor) + PerLayer + (intent.Layer.Uses.Length * PerUse) + (NameBytes(intent) * NameCount(intent, form));
    }

    /// <summary>How often about a layer's name stands in the file for a form: as tensors, as values, in the metadata.</summary>
    private static long NameCount(LayerIntent intent, StructureForm form) => intent.Layer.Scope is null ? CountTensors(form) + 1 : (3 * CountTensors(form)) + 1 + (2 * intent.Layer.Uses.Length);

    private static long NameBytes(LayerIntent intent) => Encoding.UTF8.GetByteCount(intent.Layer.Name);

    /// <summary>As many as <see cref="StructureTensors.Slots"/> says, without listing them: this is asked for every candidate.</summary>
    private static long CountTensors(StructureForm form) => form switch
    {
        ProductForm product => CountTensors(product.Left) + CountTensors(product.Right),
        RowPartitionForm partition => partition.Blocks.Sum(CountTensors) + (partition.Permuted ? 1 : 0),
        QuantizedForm quantized => quantized.Symmetric ? 2 : 3,
        _ => 1,
    };
}
