namespace Condense.Pipeline.Recipes;

/// <summary>Suggests what a misspelt name may have meant.</summary>
public static class NearestNames
{
    private const int Offered = 3;

    /// <summary>Longer names are compared by their first characters: the distance costs the product of both lengths.</summary>
    private const int Compared = 128;

    /// <summary>The names of least edit distance, nearest first, at most three. O(names·length²).</summary>
    public static IReadOnlyList<string> Find(string name, IEnumerable<string> candidates) =>
        [.. candidates
            .Select(candidate => (candidate, distance: Distance(Cut(name), Cut(candidate))))
            .OrderBy(pair => pair.distance)
            .ThenBy(pair => pair.candidate, StringComparer.Ordinal)
            .Take(Offered)
            .Select(pair => pair.candidate)];

    /// <summary>The suggestion as the end of a sentence; empty when there is nothing to suggest.</summary>
    public static string Hint(string name, IEnumerable<string> candidates)
    {
        var nearest = Find(name, candidates);
        return nearest.Count == 0 ? "" : $" Nearest: {string.Join(", ", nearest)}.";
    }

    private static string Cut(string name) => name.Length <= Compared ? name : name[..Compared];

    /// <summary>Insertions, deletions and replacements of one character that turn one text into the other, ignoring case.</summary>
    private static int Distance(string left, string right)
    {
        int[] previous = new int[right.Length + 1];
        int[] current = new int[right.Length + 1];
        for (int j = 0; j <= right.Length; j++)
        {
            previous[j] = j;
        }

        for (int i = 1; i <= left.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int replace = previous[j - 1] + (char.ToUpperInvariant(left[i - 1]) == char.ToUpperInvariant(right[j - 1]) ? 0 : 1);
                current[j] = Math.Min(replace, 1 + Math.Min(previous[j], current[j - 1]));
            }

            (previous, current) = (current, previous);
        }

        return previous[right.Length];
    }
}
