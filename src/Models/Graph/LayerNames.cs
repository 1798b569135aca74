namespace Condense.Models.Graph;

/// <summary>Gives each layer a name of its own: the later ones of a name get <c>#2</c>, <c>#3</c>, … behind it.</summary>
internal sealed class LayerNames
{
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>The name, or the next free one made from it. O(1) on average.</summary>
    internal string Take(string name)
    {
        string free = name;
        int count = _counts.GetValueOrDefault(name, 1);
        while (!_taken.Add(free))
        {
            count++;
            free = $"{name}#{count}";
        }

        _counts[name] = count;
        return free;
    }
}
