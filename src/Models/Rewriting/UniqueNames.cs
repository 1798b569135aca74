using System.Globalization;

namespace Condense.Models.Rewriting;

/// <summary>Hands out names that nothing in a file has, the same ones for the same file.</summary>
/// <param name="taken">The names that are taken.</param>
internal sealed class UniqueNames(IEnumerable<string> taken)
{
    private readonly HashSet<string> _taken = taken.ToHashSet(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _last = new(StringComparer.Ordinal);

    /// <summary>The wanted name, or with <c>_1</c>, <c>_2</c>, … behind it the first that is free. O(1) on average.</summary>
    /// <param name="wanted">The name to begin with.</param>
    public string New(string wanted)
    {
        string name = wanted;
        while (!_taken.Add(name))
        {
            int number = _last.GetValueOrDefault(wanted) + 1;
            _last[wanted] = number;
            name = string.Create(CultureInfo.InvariantCulture, $"{wanted}_{number}");
        }

        return name;
    }
}
