namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>A list, tuple or set. The elements of sets stay in the order of the pickle and may repeat: nobody asks for membership.</summary>
/// <param name="kind">What Python makes of it.</param>
/// <param name="items">The elements; not copied.</param>
internal sealed class PickleSequence(SequenceKind kind, List<object?> items)
{
    /// <summary>What Python makes of it.</summary>
    public SequenceKind Kind => kind;

    /// <summary>The elements.</summary>
    public List<object?> Items => items;
}
