namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>
/// A dictionary of any of Python's kinds, as the row of entries that the pickle sets. Keys aren't looked up, so none is hashed; that a name stands
/// twice is noticed when tensors get their names.
/// </summary>
/// <param name="kind">The kind of object.</param>
internal sealed class PickleDictionary(DictionaryKind kind)
{
    /// <summary>The kind of object.</summary>
    public DictionaryKind Kind => kind;

    /// <summary>Keys and values by turns.</summary>
    public List<object?> Entries { get; } = [];

    /// <summary>Another dictionary, or a row of pairs, whose entries come before these; shared, not copied.</summary>
    public object? Source { get; set; }
}
