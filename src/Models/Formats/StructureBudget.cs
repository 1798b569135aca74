namespace Condense.Models.Formats;

/// <summary>Counts what a reader takes into memory, over all shards of a model, and stops at the limits.</summary>
/// <param name="limits">What is accepted.</param>
internal sealed class StructureBudget(ReadLimits limits)
{
    // What an entry costs beside its text: the tensor, its shape, its place in lists and sets.
    private const int EntryBytes = 320;

    private long _bytes;
    private int _items;

    /// <summary>What is accepted.</summary>
    public ReadLimits Limits => limits;

    /// <summary>Counts a tensor, a metadata entry or a line of an index.</summary>
    /// <param name="textBytes">Bytes of its text in the file; in memory, a character takes two.</param>
    /// <param name="offset">Where it stands, for the message.</param>
    /// <exception cref="ModelFormatException">The limits are passed.</exception>
    public void Add(long textBytes, long offset)
    {
        _items++;
        _bytes += EntryBytes + (2 * textBytes);
        if (_items > limits.Items)
        {
            throw new ModelFormatException(ModelFormatError.LimitExceeded, $"The header has more than {limits.Items} entries, the most that are read.", offset);
        }

        if (_bytes > limits.StructureBytes)
        {
            throw new ModelFormatException(
                ModelFormatError.LimitExceeded, $"The header takes more than {limits.StructureBytes} bytes of memory, the most that is allowed.", offset);
        }
    }
}
