namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>What Python makes of a row of values.</summary>
internal enum SequenceKind
{
    /// <summary>A list; can grow.</summary>
    List,

    /// <summary>A tuple, or what is built from one (<c>torch.Size</c>).</summary>
    Tuple,

    /// <summary>A set; can grow.</summary>
    Set,

    /// <summary>A set that can't.</summary>
    FrozenSet,
}
