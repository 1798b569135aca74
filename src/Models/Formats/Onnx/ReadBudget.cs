namespace Condense.Models.Formats.Onnx;

/// <summary>Counts what a file makes the reader keep, against <see cref="ReadLimits"/>.</summary>
internal sealed class ReadBudget(ReadLimits limits)
{
    // What an empty node, attribute or the like takes in memory, rounded up: two bytes of a file can ask for one.
    private const int ItemOverhead = 256;

    private readonly Dictionary<string, int> _items = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>The limits.</summary>
    internal ReadLimits Limits => limits;

    /// <summary>Counts one more node, tensor, value or attribute.</summary>
    /// <param name="kind">The plural to name in the error.</param>
    /// <param name="offset">Where it stands.</param>
    internal void Item(string kind, long offset)
    {
        int count = _items.GetValueOrDefault(kind) + 1;
        if (count > limits.Items)
        {
            throw new ModelFormatException(
                ModelFormatError.LimitExceeded, $"The file holds more than {limits.Items} {kind}, the limit of this reader.", offset);
        }

        _items[kind] = count;
        Keep(ItemOverhead, offset);
    }

    /// <summary>Counts bytes that stay in memory, before they are allocated.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="offset">Where they stand.</param>
    internal void Keep(long bytes, long offset)
    {
        if (bytes > limits.StructureBytes - _bytes)
        {
            throw new ModelFormatException(
                ModelFormatError.LimitExceeded,
                $"The model's structure (nodes, names, small fields) takes more than {limits.StructureBytes} bytes, the limit of this reader.",
                offset);
        }

        _bytes += bytes;
    }
}
