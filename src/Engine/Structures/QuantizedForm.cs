using System.Text.Json.Serialization;

namespace Condense.Engine.Structures;

/// <summary>
/// The shape of a <see cref="QuantizedMatrix"/>: integer codes with f32 scales and, unless symmetric, zero points of the codes' width. Codes and zero
/// points lie in files packed, one behind the other without a gap, or each in a byte of its own.
/// </summary>
public sealed record QuantizedForm : StructureForm
{
    /// <summary>Bits of a code or zero point that has a byte to itself.</summary>
    public const int ByteBits = 8;

    /// <summary>Describes codes of one width and granularity.</summary>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="codeBits">Bits that a code has: 2, 3, 4, 5, 6 or 8.</param>
    /// <param name="symmetric">True: signed codes and no zero point. False: unsigned codes and a zero point beside each scale.</param>
    /// <param name="granularity">Which entries share a scale.</param>
    /// <param name="groupSize">Entries of a row that share a scale with <see cref="QuantizationGranularity.PerGroup"/>; else 0.</param>
    /// <param name="storedBits">Bits that a code takes in a file: 8, or as many as it has. 0 stands for as many as it has.</param>
    /// <exception cref="ArgumentOutOfRangeException">The width is not supported, or the group size does not fit the granularity.</exception>
    public QuantizedForm(
        int rows, int columns, int codeBits, bool symmetric, QuantizationGranularity granularity, int groupSize = 0, int storedBits = 0)
        : base(rows, columns)
    {
        if (codeBits is not (2 or 3 or 4 or 5 or 6 or ByteBits))
        {
            throw new ArgumentOutOfRangeException(nameof(codeBits), codeBits, "A code has 2, 3, 4, 5, 6 or 8 bits.");
        }

        if (storedBits != 0 && storedBits != codeBits && storedBits != ByteBits)
        {
            throw new ArgumentOutOfRangeException(nameof(storedBits), storedBits, $"A code of {codeBits} bits is stored in {codeBits} bits or in 8.");
        }

        if (granularity == QuantizationGranularity.PerGroup)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(groupSize, 1);
        }
        else
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(groupSize, 0);
        }

        CodeBits = codeBits;
        StoredBits = storedBits == 0 ? codeBits : storedBits;
        Symmetric = symmetric;
        Granularity = granularity;
        GroupSize = groupSize;
    }

    /// <summary>Bits that a code and a zero point have: how many steps there are.</summary>
    public int CodeBits { get; }

    /// <summary>Bits that a code and a zero point take in a file: <see cref="CodeBits"/> where they are packed, 8 where each has a byte.</summary>
    public int StoredBits { get; }

    /// <summary>Whether codes and zero points lie in files several to a byte.</summary>
    [JsonIgnore]
    public bool IsPacked => StoredBits < ByteBits;

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
    public override long StorageBits => (8 * PackedBytes(ParameterCount)) + (ScaleCount * 32) + (Symmetric ? 0 : 8 * PackedBytes(ScaleCount));

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => (long)Rows * Columns;

    /// <inheritdoc/>
    [JsonIgnore]
    public override long MultiplyAddsPerColumn => ParameterCount;

    /// <summary>Bytes of so many codes or zero points, packed without a gap: <c>⌈count·StoredBits/8⌉</c>.</summary>
    /// <param name="count">How many.</param>
    public long PackedBytes(long count) => (count / 8 * StoredBits) + (((count % 8 * StoredBits) + 7) / 8);
}
