namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>The kinds of objects that hold values by name.</summary>
internal enum DictionaryKind
{
    /// <summary>A plain <c>dict</c>.</summary>
    Plain,

    /// <summary><c>OrderedDict</c>, <c>defaultdict</c> or <c>Counter</c>.</summary>
    Collection,

    /// <summary>An object that is nothing but its attributes: <c>argparse.Namespace</c>, <c>types.SimpleNamespace</c>.</summary>
    Namespace,
}
