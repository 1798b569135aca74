namespace Condense.Pipeline.Recipes;

/// <summary>Patterns over layer names: <c>*</c> stands for any run of characters, <c>?</c> for one; everything else for itself.</summary>
internal static class Glob
{
    /// <summary>Whether a pattern covers a whole name. O(pattern·name) at worst, no allocation.</summary>
    public static bool Matches(string pattern, string name)
    {
        int p = 0;
        int n = 0;
        int star = -1;
        int resume = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                resume = n;
            }
            else if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == name[n]))
            {
                p++;
                n++;
            }
            else if (star >= 0)
            {
                // The last star takes one character more, and the rest is tried again.
                p = star + 1;
                n = ++resume;
            }
            else
            {
                return false;
            }
        }

        return pattern.AsSpan(p).TrimStart('*').IsEmpty;
    }
}
