using System.Collections.Immutable;
using Condense.Engine.Factorizations;
using Condense.Engine.Matrices;
using Condense.Engine.Planning;
using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>The singular basis of every group of rows: what each block would lose at every rank.</summary>
public sealed class GroupBasis
{
    /// <summary>Beyond this width only the head of each spectrum is computed.</summary>
    private const int WholeSpectrum = LowRankBasis.WholeSpectrum;

    /// <summary>Halvings of the base rank: finer than any step of a rank, whatever the ratio of the weights.</summary>
    private const int Halvings = 60;

    private readonly ImmutableArray<LowRankBasis> _bases;

    // What a group in 8-bit codes with a scale for each row loses.
    private readonly double[] _codedErrors;

    // What the factors of each group lose at every rank, in floats and in 8-bit codes.
    private readonly Lazy<double[][]> _floatCurves;
    private readonly Lazy<double[][]> _codeCurves;

    private GroupBasis(RowGroups groups, ImmutableArray<LowRankBasis> bases, double[] codedErrors)
    {
        Groups = groups;
        _bases = bases;
        _codedErrors = codedErrors;
        _floatCurves = new Lazy<double[][]>(() => [.. bases.Select(basis => LowRank.PredictSquaredErrors(basis, codeBits: null))]);
        _codeCurves = new Lazy<double[][]>(() => [.. bases.Select(basis => LowRank.PredictSquaredErrors(basis, codeBits: 8))]);
    }

    /// <summary>The groups.</summary>
    public RowGroups Groups { get; }

    /// <summary>The basis of each group.</summary>
    public IReadOnlyList<LowRankBasis> Bases => _bases;

    /// <summary><c>Σ wᵢ‖Wᵢ‖²</c>.</summary>
    public double TotalEnergy => _bases.Sum(basis => basis.TotalEnergy);

    /// <summary>The largest magnitude of any left factor's entry, at any rank.</summary>
    public double Peak => _bases.Max(basis => basis.Left.Peaks.DefaultIfEmpty().Max());

    /// <summary>Factorizes every group.</summary>
    /// <param name="weight">W, m×n, finite.</param>
    /// <param name="importance">The row weights, if any.</param>
    /// <param name="groups">The groups of its rows.</param>
    /// <param name="seed">Chooses the start of the iteration on wide weights.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1. The result is the same, bit for bit, on any number.</param>
    /// <param name="cancellationToken">Stops between groups.</param>
    /// <exception cref="ArgumentException">An entry is not finite, or the row weights do not fit.</exception>
    /// <remarks>O(m·n² + c·n³) for c groups; memory beside W: a copy of the largest group, c·n² numbers.</remarks>
    public static GroupBasis Compute(
        Matrix weight, Importance importance, RowGroups groups, ulong seed, int threads, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(groups);
        var weights = RowWeights.Of(importance, weight.Rows);
        var bases = ImmutableArray.CreateBuilder<LowRankBasis>(groups.Count);
        double[] codedErrors = new double[groups.Count];
        for (int g = 0; g < groups.Count; g++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = groups.Gather(weight, g);
            var known = groups.Gather(weights, g);
            bases.Add(LowRankBasis.Compute(rows, known, MaxRank(rows.Rows, rows.Columns), seed, threads, cancellationToken));
            codedErrors[g] = RoundToNearest.Predict(rows, known, (QuantizedForm)new BlockEntry(8).Whole(rows.Rows, rows.Columns), threads).WeightedSquaredError;
        }

        return new GroupBasis(groups, bases.MoveToImmutable(), codedErrors);
    }

    /// <summary>Shares a budget out among the groups.</summary>
    /// <param name="rule">How.</param>
    /// <param name="entry">How the blocks' numbers are stored.</param>
    /// <param name="budget">What they may cost together.</param>
    /// <returns>The blocks; null when not even rank 1 everywhere fits.</returns>
    /// <remarks>
    /// <see cref="RankRule.Paper"/>: <c>k_p = (f̄_p ÷ f̄_c)·k_c</c> by bisection on k_c, f̄ being mean weights and c the lightest group of any weight.
    /// <see cref="RankRule.WaterFilled"/>: <see cref="Planner.Solve"/> over what every block loses at every rank, exact up to one segment of a hull. A
    /// block whose factors would cost as much as its entries keeps its entries. O(c·n·log(c·n)).
    /// </remarks>
    public GroupPlan? Allocate(RankRule rule, BlockEntry entry, GroupBudget budget)
        => rule == RankRule.Paper ? AllocateByWeight(entry, budget) : AllocateByGain(entry, budget);

    /// <summary>Blocks of given shapes, with what they will lose.</summary>
    /// <param name="blocks">A shape for each group: factors of a rank within the basis's, or the group's own entries.</param>
    /// <exception cref="ArgumentException">The shapes are not those of the groups.</exception>
    public GroupPlan Plan(IReadOnlyList<StructureForm> blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        bool fits = blocks.Count == _bases.Length && blocks
            .Zip(_bases, (block, basis) => block.Rows == basis.Rows && block.Columns == basis.Columns && ((block as ProductForm)?.Rank ?? 0) <= basis.Rank)
            .All(same => same);
        return fits ? new GroupPlan([.. blocks], Predict(blocks)) : throw new ArgumentException("The blocks are not those of the groups.", nameof(blocks));
    }

    /// <summary>The least that blocks of a plan's rows and ranks lose: <c>Σ_p Σ_{j ≥ k_p} σ_pj²</c>.</summary>
    /// <param name="plan">The blocks.</param>
    public double Bound(GroupPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        double bound = 0;
        for (int g = 0; g < plan.Blocks.Length; g++)
        {
            bound += plan.Blocks[g] is ProductForm product ? _bases[g].TailEnergy(product.Rank) : 0;
        }

        return bound;
    }

    private double Predict(IReadOnlyList<StructureForm> blocks)
    {
        double error = 0;
        for (int g = 0; g < blocks.Count; g++)
        {
            error += blocks[g] switch
            {
                ProductForm product => (product.Left is QuantizedForm ? _codeCurves : _floatCurves).Value[g][product.Rank],
                QuantizedForm => _codedErrors[g],
                _ => 0,
            };
        }

        return error;
    }

    /// <summary>Shapes for the groups that keep the ranks of other blocks as far as these groups have them.</summary>
    internal GroupPlan Keep(IReadOnlyList<StructureForm> blocks, BlockEntry entry, GroupBudget budget)
    {
        int columns = _bases[0].Columns;
        var kept = blocks.Select((block, g) => block is ProductForm product
            ? budget.Cheaper(entry, _bases[g].Rows, columns, Math.Min(product.Rank, _bases[g].Rank))
            : entry.Whole(_bases[g].Rows, columns)).ToImmutableArray();
        return new GroupPlan(kept, Predict(kept));
    }

    /// <summary>The highest rank at which factors have fewer numbers than the entries; of wide weights a third, which costs as much as codes of the entries.</summary>
    private static int MaxRank(int rows, int columns)
    {
        int least = (int)((long)rows * columns / ((long)rows + columns)) + 1;
        return Math.Min(least, Math.Min(rows, columns) <= WholeSpectrum ? Math.Min(rows, columns) : Math.Min(rows, columns) / 3);
    }

    private GroupPlan? AllocateByWeight(BlockEntry entry, GroupBudget budget)
    {
        int columns = _bases[0].Columns;
        double[] means = [.. _bases.Select(basis => basis.WeightSum / basis.Rows)];
        double lightest = means.Where(mean => mean > 0).DefaultIfEmpty(1).Min();
        ImmutableArray<StructureForm> Blocks(double rank) =>
            [.. _bases.Select((basis, g) => budget.Cheaper(entry, basis.Rows, columns, (int)Math.Clamp(Math.Floor(rank * means[g] / lightest), 1, basis.Rank)))];

        double low = 0, high = columns;
        if (Cost(Blocks(low), budget) > budget.Limit)
        {
            return null;
        }

        for (int i = 0; i < Halvings; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = Cost(Blocks(middle), budget) <= budget.Limit ? (middle, high) : (low, middle);
        }

        var chosen = Blocks(low);
        return new GroupPlan(chosen, Predict(chosen));
    }

    private GroupPlan? AllocateByGain(BlockEntry entry, GroupBudget budget)
    {
        int columns = _bases[0].Columns;
        var forms = new StructureForm[_bases.Length][];
        var points = new PlanPoint[_bases.Length][];
        for (int g = 0; g < forms.Length; g++)
        {
            var basis = _bases[g];
            var whole = entry.Whole(basis.Rows, columns);
            double[] errors = (entry.CodeBits is null ? _floatCurves : _codeCurves).Value[g];
            var blocks = new List<StructureForm>();
            for (int rank = 1; rank <= basis.Rank && entry.Factors(basis.Rows, columns, rank) is var factors && budget.Cost(factors) < budget.Cost(whole); rank++)
            {
                blocks.Add(factors);
            }

            points[g] = [.. blocks.Select((block, i) => new PlanPoint(budget.Cost(block), errors[i + 1])), new PlanPoint(budget.Cost(whole), entry.CodeBits is null ? 0 : _codedErrors[g])];
            forms[g] = [.. blocks, whole];
        }

        if (Planner.Solve(points, budget.Limit) is not { Choices: { } choices, Loss: var loss })
        {
            return null;
        }

        return new GroupPlan([.. choices.Select((choice, g) => forms[g][choice])], loss);
    }

    private static long Cost(IEnumerable<StructureForm> blocks, GroupBudget budget) => blocks.Sum(budget.Cost);
}
