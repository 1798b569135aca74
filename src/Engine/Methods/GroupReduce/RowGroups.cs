using System.Collections.Immutable;
using Condense.Engine.Matrices;

namespace Condense.Engine.Methods;

/// <summary>The rows of a weight in groups; every row is in one.</summary>
public sealed class RowGroups
{
    /// <summary>Rows of the first group where groups grow: fewer would cost more in names than they save.</summary>
    private const int FirstGroup = 64;

    private readonly ImmutableArray<int[]> _rows;

    private RowGroups(ImmutableArray<int[]> rows) => _rows = rows;

    /// <summary>The rows of each group, ascending; no group is empty. Must not be changed.</summary>
    public IReadOnlyList<int[]> Rows => _rows;

    /// <summary>The number of groups.</summary>
    public int Count => _rows.Length;

    /// <summary>How many rows each group has.</summary>
    public int[] Sizes => [.. _rows.Select(rows => rows.Length)];

    /// <summary>
    /// Groups of rows alike in frequency: sorted by weight, the heaviest first, rows of the same weight in their own order, then cut. O(m·log m).
    /// </summary>
    /// <param name="importance">The row weights; without any, rows stand in their own order.</param>
    /// <param name="sizes">How many rows each group has, from the heaviest; each ≥ 1.</param>
    /// <exception cref="ArgumentException">A group would be empty, or a weight is negative or not finite.</exception>
    public static RowGroups ByWeight(Importance importance, IReadOnlyList<int> sizes)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        if (sizes.Count == 0 || sizes.Any(size => size < 1))
        {
            throw new ArgumentException($"The groups have {string.Join(", ", sizes)} rows; each has at least one.", nameof(sizes));
        }

        int[] order = Order(importance, sizes.Sum());
        var groups = ImmutableArray.CreateBuilder<int[]>(sizes.Count);
        int start = 0;
        foreach (int size in sizes)
        {
            int[] rows = order[start..(start + size)];
            Array.Sort(rows);
            groups.Add(rows);
            start += size;
        }

        return new RowGroups(groups.MoveToImmutable());
    }

    /// <summary>Where the groups of a rule end: equal heights for <see cref="RankRule.Paper"/>, else heights that grow geometrically from 64 rows.</summary>
    /// <param name="rows">Rows of the weight, ≥ 1.</param>
    /// <param name="count">How many groups, ≥ 1; no more than there are rows are made.</param>
    /// <param name="rule">The rule.</param>
    /// <returns>How many rows each group has.</returns>
    public static int[] Cut(int rows, int count, RankRule rule)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        count = Math.Min(count, rows);
        double first = Math.Max(1, Math.Min(FirstGroup, rows / (double)count));
        var sizes = new List<int>(count);
        int start = 0;
        for (int g = 1; g <= count; g++)
        {
            int end = rule == RankRule.Paper || count == 1
                ? (int)((long)rows * g / count)
                : (int)Math.Round(first * Math.Pow(rows / first, (g - 1) / (double)(count - 1)));
            end = g == count ? rows : Math.Clamp(end, start + 1, rows - (count - g));
            sizes.Add(end - start);
            start = end;
        }

        return [.. sizes];
    }

    /// <summary>Each row's place when the groups stand one below the other; null when every row stays where it is. O(m).</summary>
    public int[]? Permutation()
    {
        int[] places = new int[_rows.Sum(rows => rows.Length)];
        int place = 0;
        bool moved = false;
        foreach (int[] rows in _rows)
        {
            foreach (int row in rows)
            {
                moved |= row != place;
                places[row] = place++;
            }
        }

        return moved ? places : null;
    }

    /// <summary>Groups from each row's label; labels that no row has leave no group.</summary>
    /// <param name="labels">A label for each row, 0 … count − 1.</param>
    /// <param name="count">How many labels there are.</param>
    /// <returns>The groups, and the label of each.</returns>
    internal static (RowGroups Groups, int[] Labels) Of(int[] labels, int count)
    {
        int[] sizes = new int[count];
        foreach (int label in labels)
        {
            sizes[label]++;
        }

        int[][] rows = Array.ConvertAll(sizes, size => new int[size]);
        int[] filled = new int[count];
        for (int row = 0; row < labels.Length; row++)
        {
            rows[labels[row]][filled[labels[row]]++] = row;
        }

        int[] used = [.. Enumerable.Range(0, count).Where(label => sizes[label] > 0)];
        return (new RowGroups([.. used.Select(label => rows[label])]), used);
    }

    /// <summary>A group's rows of a weight: the weight itself where the group is all of it, else a copy.</summary>
    internal Matrix Gather(Matrix weight, int group)
    {
        int[] rows = _rows[group];
        if (rows.Length == weight.Rows)
        {
            return weight;
        }

        var gathered = new Matrix(rows.Length, weight.Columns);
        for (int i = 0; i < rows.Length; i++)
        {
            weight.Row(rows[i]).CopyTo(gathered.Row(i));
        }

        return gathered;
    }

    /// <summary>What is known of a group's rows.</summary>
    internal Importance Gather(double[]? weights, int group)
        => weights is null ? Importance.None : new Importance { RowWeights = Array.ConvertAll(_rows[group], row => weights[row]) };

    /// <summary>The rows from the heaviest to the lightest; rows of the same weight, or of none, in their own order. O(m·log m).</summary>
    internal static int[] Order(Importance importance, int rows)
    {
        var weights = RowWeights.Of(importance, rows);
        int[] order = new int[rows];
        for (int i = 0; i < rows; i++)
        {
            order[i] = i;
        }

        if (weights is not null)
        {
            Array.Sort(order, (a, b) => weights[a] == weights[b] ? a.CompareTo(b) : weights[b].CompareTo(weights[a]));
        }

        return order;
    }
}
