using System.Collections.Immutable;
using Condense.Engine.Methods;
using Condense.Engine.Structures;
using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Stages;

/// <summary>
/// Candidates of <see cref="MethodNames.GroupReduce"/> before a weight is read: how rows are grouped follows from the row weights alone, and rank 1 in
/// every block is the smallest form. Which ranks are worth their bytes only the singular values say: <see cref="GroupedAnalysis"/>.
/// </summary>
internal static class GroupedForms
{
    private const int ManyBlocks = 20;
    private const int FewBlocks = 5;
    private const int DefaultRounds = 10;
    private const double DefaultParameterRatio = 4;

    /// <summary>Rows for each block below which blocks cost more in names than they save.</summary>
    private const int LeastRows = 64;

    /// <summary>The candidates of a layer: none without row weights, unless a rule asks. O(rows·log rows).</summary>
    /// <param name="intent">What the recipe allows.</param>
    /// <param name="withTarget">Whether a planner chooses.</param>
    public static IEnumerable<Candidate> Of(LayerIntent intent, bool withTarget)
    {
        var (rows, columns) = (intent.Layer.Rows, intent.Layer.Columns);
        var asked = intent.Settings as GroupReduceChoice;
        if (asked is null && (intent.Importance.RowWeights is null || rows < FewBlocks * LeastRows))
        {
            yield break;
        }

        var choice = asked ?? new GroupReduceChoice();
        int[] widths = choice.FactorBits is { } one ? [one] : withTarget ? [32, 8] : [32];
        double? ratio = choice.ParameterRatio ?? (withTarget ? null : DefaultParameterRatio);
        int[][] cuts = [.. Counts(choice, rows, withTarget).Select(count => RowGroups.Cut(rows, count, choice.Ranks))];

        // Where no way of grouping allows the ratio that is asked for, all are offered: the rule is refused with the highest.
        int[][] within = choice.ParameterRatio is { } wanted ? Array.FindAll(cuts, cut => Allows(wanted, cut, columns)) : cuts;
        foreach (int[] sizes in within.Length > 0 ? within : cuts)
        {
            bool moved = sizes.Length > 1 && RowGroups.ByWeight(intent.Importance, sizes).Permutation() is not null;

            // An order of the rows that is stored anyway lets rows move for nothing.
            int rounds = choice.RefinementRounds ?? (moved || !withTarget ? DefaultRounds : 0);
            foreach (int bits in widths)
            {
                var entry = new BlockEntry(bits == 8 ? 8 : null, bits == 8 ? FloatFormat.F32 : CandidateLadder.FactorFormat(bits, intent.Layer.Tensor.DType));
                var budget = new GroupBudget(0, CountsBits: true);
                var smallest = new GroupPlan([.. sizes.Select(size => budget.Cheaper(entry, size, columns, rank: 1))], SquaredError: 0);
                yield return new Candidate(MethodNames.GroupReduce, smallest.Form(moved || rounds > 0), new Grouping(choice.Ranks, entry, rounds, ratio));
            }
        }
    }

    /// <summary>The highest ratio of numbers before to numbers after that a rule can ask for: that of rank 1 everywhere. O(blocks).</summary>
    /// <param name="candidates">The candidates of a layer that the rule names.</param>
    /// <param name="ratio">What it asks for.</param>
    /// <returns>Null when one of the candidates allows the ratio; else the highest, rounded down to hundredths.</returns>
    public static double? HighestBelow(IEnumerable<Candidate> candidates, double ratio)
    {
        var forms = candidates.Where(candidate => candidate.Grouping is not null).Select(candidate => candidate.Form!).ToList();
        return forms.Count == 0 || forms.Exists(form => Allows(ratio, Sizes(form), form.Columns))
            ? null
            : forms.Max(form => Math.Floor(100.0 * form.Rows * form.Columns / LeastNumbers(Sizes(form), form.Columns)) / 100);
    }

    /// <summary>How many rows each block of a form has.</summary>
    /// <param name="form">A partition, or the only block.</param>
    public static int[] Sizes(StructureForm form) => [.. Blocks(form).Select(block => block.Rows)];

    /// <summary>The blocks of a form.</summary>
    /// <param name="form">A partition, or the only block.</param>
    public static ImmutableArray<StructureForm> Blocks(StructureForm form) => form is RowPartitionForm partition ? [.. partition.Blocks] : [form];

    private static bool Allows(double ratio, int[] sizes, int columns) => (long)((double)sizes.Sum() * columns / ratio) >= LeastNumbers(sizes, columns);

    /// <summary>Numbers of the blocks at rank 1, or of their own entries where those are fewer; codes and floats count the same.</summary>
    private static long LeastNumbers(int[] sizes, int columns)
    {
        var budget = new GroupBudget(0, CountsBits: false);
        return sizes.Sum(size => budget.Cost(budget.Cheaper(new BlockEntry(null), size, columns, rank: 1)));
    }

    private static IEnumerable<int> Counts(GroupReduceChoice choice, int rows, bool withTarget)
    {
        bool many = choice.Ranks == RankRule.WaterFilled && rows >= ManyBlocks * LeastRows;
        return choice.Blocks is { } asked ? [asked] : !many ? [FewBlocks] : withTarget ? [ManyBlocks, FewBlocks] : [ManyBlocks];
    }
}
