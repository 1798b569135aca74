namespace Condense.Models.Formats.Onnx;

/// <summary>
/// The names that one graph gives to values. Each is given once: single assignment. (An initializer may bear an input's name: it is the input's
/// default.) Uses of names are not checked: a value may come from a graph around this one.
/// </summary>
internal sealed class GraphNames
{
    private readonly HashSet<string> _inputs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _initializers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _produced = new(StringComparer.Ordinal);

    internal void AddInput(string name, long offset)
    {
        if (!_inputs.Add(name))
        {
            throw new ModelFormatException(ModelFormatError.DuplicateName, $"Two inputs of one graph are named '{name}'.", offset);
        }

        CheckSingle(name, _produced, offset);
    }

    internal void AddInitializer(string name, long offset)
    {
        if (!_initializers.Add(name))
        {
            throw new ModelFormatException(ModelFormatError.DuplicateName, $"Two initializers of one graph are named '{name}'.", offset, name);
        }

        CheckSingle(name, _produced, offset);
    }

    internal void AddProduced(string name, long offset)
    {
        // An empty name is an output that is left out.
        if (name.Length == 0)
        {
            return;
        }

        if (!_produced.Add(name))
        {
            throw Twice(name, offset);
        }

        CheckSingle(name, _inputs, offset);
        CheckSingle(name, _initializers, offset);
    }

    private static void CheckSingle(string name, HashSet<string> others, long offset)
    {
        if (others.Contains(name))
        {
            throw Twice(name, offset);
        }
    }

    private static ModelFormatException Twice(string name, long offset) =>
        new(ModelFormatError.InvalidGraph, $"Value '{name}' is given twice in one graph; each value has one source.", offset);
}
