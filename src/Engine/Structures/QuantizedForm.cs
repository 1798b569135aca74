using System.Text.Json.Serialization;

namespace Condense.Engine.Structures;

/// <summary>The shape of a <see cref="QuantizedMatrix"/>: integer codes with f32 scales and, unless symmetric, zero points of the codes' width.</summary>
public sealed record QuantizedForm : StructureForm
{
    /// <summary>Describes codes of one width and granularity.</summary>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="codeBits">Bits of one stored code: 8.</param>
    /// <param name="symmetric">True: signed codes and no zero point. False: unsigned codes and a zero point beside each scale.</param>
    /// <param name="granularity">Which entries share a scale.</param>
    /// <param name="groupSize">Entries of a row that share a scale with <see cref="QuantizationGranularity.PerGroup"/>; else 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The width is not supported, or the group size does not fit the granularity.</exception>
    public QuantizedForm(int rows, int columns, int codeBits, bool symmetric, QuantizationGranularity granularity, int groupSize = 0)
        : base(rows, columns)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(codeBits, 8);
        if (granularity == QuantizationGranularity.PerGroup)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(groupSize, 1);
        }
        else
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(groupSize, 0);
        }

        CodeBits = codeBits;
        Symmetric = symmetric;
        Granularity = granularity;
        GroupSize = groupSize;
    }

    /// <summary>Bits of one stored code.</summary>
    public int CodeBits { get; }

    /// <summary>True: signed codes, zero point fixed at 0. False: unsigned codes and a zero point per scale.</summary>
    public bool Symmetric { get; }

    /// <summary>Which entries share a scale.</summary>
    public QuantizationGranularity Granularity { get; }

    /// <summary>Entries of a row that share a scale; 0 unless the granularity is <see cref="QuantizationGranularity.PerGroup"/>.</summary>
    public int GroupSize { get; }

    /// <summary>Groups in a row: ⌈Columns/GroupSize⌉, 1 for the other granularities.</summary>
    [JsonIgnore]
    public int GroupsPerRow => GroupSize == 0 ? 1 : (int)(((long)Columns + GroupSize - 1) / GroupSize);

    /// <summary>The number of scales: 1, Rows, Columns, or Rows·GroupsPerRow (row-major).</summary>
    [JsonIgnore]
    public long ScaleCount => Granularity switch
    {
        QuantizationGranularity.PerTensor => 1,
        QuantizationGranularity.PerRow => Rows,
        QuantizationGranularity.PerColumn => Columns,
        _ => (long)Rows * GroupsPerRow,
    };

    /// <inheritdoc/>
    [JsonIgnore]
    public override long StorageBits => (ParameterCount * CodeBits) + (ScaleCount * (32 + (Symmetric ? 0 : CodeBits)));

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => (long)Rows * Columns;

    /// <inheritdoc/>
    [JsonIgnore]
    public override long MultiplyAddsPerColumn => ParameterCount;
}
