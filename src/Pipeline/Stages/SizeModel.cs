using System.Collections.Immutable;
using Condense.Models.Graph;
using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Stages;

/// <summary>What candidates cost in the unit of a target, and what a whole plan comes to.</summary>
internal sealed class SizeModel
{
    private readonly FileOverheads _overheads;
    private readonly ImmutableArray<LayerIntent> _intents;
    private readonly CompressionTarget _target;
    private readonly long _bytesBefore;
    private readonly long _bytesKept;
    private readonly bool[] _counted;

    /// <summary>Prepares counting.</summary>
    /// <param name="overheads">What a file holds beside numbers.</param>
    /// <param name="intents">Its layers.</param>
    /// <param name="target">What is counted.</param>
    /// <param name="bytesBefore">Bytes of all the original's files.</param>
    /// <param name="bytesKept">Bytes of the result when every layer is kept: the original's, or what they are in another format.</param>
    public SizeModel(FileOverheads overheads, ImmutableArray<LayerIntent> intents, CompressionTarget target, long bytesBefore, long bytesKept)
    {
        _overheads = overheads;
        _intents = intents;
        _target = target;
        _bytesBefore = bytesBefore;
        _bytesKept = bytesKept;
        _counted = [.. intents.Select(IsCompressible)];
        WeightCount = intents.Where((_, index) => _counted[index]).Sum(intent => intent.ElementCount);
    }

    /// <summary>Whether the target counts whole-file bytes.</summary>
    public bool CountsBytes => _target.Kind is TargetKind.Ratio or TargetKind.Bytes;

    /// <summary>Numbers in the compressible weights.</summary>
    public long WeightCount { get; }

    /// <summary>The most that a plan may come to.</summary>
    public long Limit => _target.Kind switch
    {
        TargetKind.Ratio => Floor(_bytesBefore / _target.Value),
        TargetKind.Bytes => Floor(_target.Value),
        TargetKind.ParameterRatio => Floor(WeightCount / _target.Value),
        _ => Floor(WeightCount * _target.Value),
    };

    /// <summary>Whether a layer counts as compressible weight: all but constants that no rule names.</summary>
    public static bool IsCompressible(LayerIntent intent) => intent.Layer.Role != WeightRole.Other || intent.RulePointer is not null;

    /// <summary>What a candidate adds to a plan. For bytes close to the truth, since names and nodes take room too: <see cref="Measure"/> is exact.</summary>
    public long Cost(int layer, Candidate candidate)
    {
        var intent = _intents[layer];
        return _target.Kind switch
        {
            TargetKind.ParameterRatio => _counted[layer] ? candidate.Form?.ParameterCount ?? intent.ElementCount : 0,
            TargetKind.BitsPerWeight => _counted[layer] ? candidate.Form?.StorageBits ?? intent.Layer.StoredBytes * 8 : 0,
            _ => candidate.Bytes(intent.Layer) + _overheads.Of(layer, candidate),
        };
    }

    /// <summary>What a plan comes to, exactly. For bytes the file is laid out without its numbers: O(nodes + tensors).</summary>
    public long Measure(IReadOnlyList<Candidate> plan)
    {
        if (!CountsBytes)
        {
            return Enumerable.Range(0, plan.Count).Sum(layer => Cost(layer, plan[layer]));
        }

        return plan.All(candidate => candidate.Form is null) ? _bytesKept : _overheads.Measure(plan);
    }

    /// <summary>The target of the same kind that a plan of this size meets, rounded to what people write.</summary>
    public CompressionTarget TargetMetBy(long size) => _target.Kind switch
    {
        TargetKind.Ratio => _target with { Value = RoundDown((double)_bytesBefore / size) },
        TargetKind.Bytes => _target with { Value = size },
        TargetKind.ParameterRatio => _target with { Value = RoundDown((double)WeightCount / Math.Max(1, size)) },
        _ => _target with { Value = Math.Ceiling((double)size / Math.Max(1, WeightCount) * 1000) / 1000 },
    };

    private static double RoundDown(double ratio) => Math.Floor(ratio * 1000) / 1000;

    private static long Floor(double value) => value >= long.MaxValue ? long.MaxValue : (long)value;
}
