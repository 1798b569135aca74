using System.Collections.Immutable;
using Condense.Engine.Factorizations;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;

namespace Condense.Engine.Methods;

/// <summary>
/// Block low rank of a vocabulary's table (Chen, Si, Li, Chelba and Hsieh, GroupReduce, NeurIPS 2018): rows are grouped by frequency, each group is
/// factorized by its own weighted SVD with a rank of its own, then rows are moved to the group that serves them best. Minimises
/// <c>Σ_p Σ_{i∈p} wᵢ‖Wᵢ − (U_p·V_p)ᵢ‖²</c>.
/// </summary>
public static class GroupReduce
{
    /// <summary>Refinement ends when a round lowers the error by less than this part of it.</summary>
    private const double LeastGain = 1e-4;

    /// <summary>Groups, factorizes and measures a weight.</summary>
    /// <param name="weight">W, m×n, finite; m, n ≥ 1.</param>
    /// <param name="importance">The row weights; without any, rows stand in their own order and count the same.</param>
    /// <param name="settings">Blocks, ranks, refinement and budget.</param>
    /// <param name="seed">Chooses the start of the iteration on weights wider than 1,500.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1. The result is the same, bit for bit, on any number.</param>
    /// <param name="cancellationToken">Stops between groups.</param>
    /// <returns>
    /// A <see cref="RowPartitionMatrix"/>, permuted unless the rows stand in the order of the groups already, or one block alone; its error; and the sum
    /// of the blocks' tails, which is the least error that blocks of these rows and ranks have.
    /// </returns>
    /// <exception cref="ArgumentException">The budget is below rank 1 everywhere, an entry is not finite, or the row weights do not fit.</exception>
    /// <remarks>O(rounds·m·n·(n + Σk)) beside the factorization of c squares of n; memory: W, a copy of the largest group, m·c numbers.</remarks>
    public static CompressedWeight Compress(
        Matrix weight, Importance importance, GroupReduceSettings settings, ulong seed, int threads, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(settings);
        var groups = RowGroups.ByWeight(importance, RowGroups.Cut(weight.Rows, settings.Blocks, settings.Ranks));
        var basis = GroupBasis.Compute(weight, importance, groups, seed, threads, cancellationToken);
        var plan = basis.Allocate(settings.Ranks, settings.Entry, settings.Budget)
            ?? throw new ArgumentException($"The budget of {settings.Budget.Limit} is below what {groups.Count} blocks of rank 1 cost.", nameof(settings));
        (basis, plan) = Refine(weight, importance, basis, plan, settings, seed, threads, null, cancellationToken);
        var structure = Build(weight, importance, basis, plan, settings.Entry, threads);
        return new CompressedWeight(structure, ErrorMeasure.Measure(weight, structure, importance, threads), basis.Bound(plan));
    }

    /// <summary>Moves rows to the blocks that serve them best while the error falls; what comes out never costs more nor loses more than what goes in.</summary>
    /// <param name="weight">W, m×n.</param>
    /// <param name="importance">The row weights.</param>
    /// <param name="basis">The bases of the groups.</param>
    /// <param name="plan">The blocks, within the budget.</param>
    /// <param name="settings">Rounds, rule, entries and budget.</param>
    /// <param name="seed">Chooses the start of the iteration on wide weights.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1. The result is the same, bit for bit, on any number.</param>
    /// <param name="observe">Told of the error of each round that is kept; may be null.</param>
    /// <param name="cancellationToken">Stops between groups.</param>
    /// <returns>The groups and blocks of least error.</returns>
    /// <remarks>
    /// A round assigns rows for the blocks as they are, factorizes the new groups, and with <see cref="RankRule.WaterFilled"/> shares the budget out again;
    /// a round that does not lower the error by a ten-thousandth, or whose factors are beyond the range of their entries, ends it and is dropped.
    /// </remarks>
    public static (GroupBasis Basis, GroupPlan Plan) Refine(
        Matrix weight,
        Importance importance,
        GroupBasis basis,
        GroupPlan plan,
        GroupReduceSettings settings,
        ulong seed,
        int threads,
        Action<double>? observe,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(basis);
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(settings);
        var (weights, _) = RowWeights.Normalize(RowWeights.Of(importance, weight.Rows));
        for (int round = 0; round < settings.RefinementRounds && plan.Blocks.Length > 1; round++)
        {
            int[] labels = BlockReassignment.Assign(weight, weights, basis, plan.Blocks, settings.Budget, threads);
            var (groups, kept) = RowGroups.Of(labels, plan.Blocks.Length);
            var moved = GroupBasis.Compute(weight, importance, groups, seed, threads, cancellationToken);
            var next = moved.Keep([.. kept.Select(block => plan.Blocks[block])], settings.Entry, settings.Budget);
            if (settings.Ranks == RankRule.WaterFilled
                && moved.Allocate(settings.Ranks, settings.Entry, settings.Budget) is { } shared
                && (shared.SquaredError < next.SquaredError || Cost(next, settings.Budget) > settings.Budget.Limit))
            {
                next = shared;
            }

            // Other rows in a group have other factors: what the entries can't hold can't be built.
            if (!(moved.Peak <= settings.Entry.Largest) || Cost(next, settings.Budget) > settings.Budget.Limit || !(next.SquaredError < plan.SquaredError * (1 - LeastGain)))
            {
                break;
            }

            (basis, plan) = (moved, next);
            observe?.Invoke(plan.SquaredError);
        }

        return (basis, plan);
    }

    /// <summary>Makes the blocks. O(m·n·k).</summary>
    /// <param name="weight">W, m×n.</param>
    /// <param name="importance">The row weights.</param>
    /// <param name="basis">The bases of the groups.</param>
    /// <param name="plan">The blocks.</param>
    /// <param name="entry">How their numbers are stored.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1.</param>
    /// <exception cref="ArgumentException">W·V is beyond the range of f32, or an entry beyond that of the format.</exception>
    public static StructuredMatrix Build(Matrix weight, Importance importance, GroupBasis basis, GroupPlan plan, BlockEntry entry, int threads)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(basis);
        ArgumentNullException.ThrowIfNull(plan);
        var weights = RowWeights.Of(importance, weight.Rows);
        var blocks = ImmutableArray.CreateBuilder<StructuredMatrix>(plan.Blocks.Length);
        for (int g = 0; g < plan.Blocks.Length; g++)
        {
            var rows = basis.Groups.Gather(weight, g);
            blocks.Add(plan.Blocks[g] switch
            {
                ProductForm product => Factorize(rows, basis.Groups.Gather(weights, g), basis.Bases[g], product, entry, threads),
                QuantizedForm quantized => RoundToNearest.Quantize(rows, quantized, threads),
                _ => new DenseMatrix(rows, entry.Format),
            });
        }

        return blocks.Count == 1 ? blocks[0] : new RowPartitionMatrix(blocks.MoveToImmutable(), basis.Groups.Permutation());
    }

    private static ProductMatrix Factorize(Matrix rows, Importance importance, LowRankBasis basis, ProductForm form, BlockEntry entry, int threads)
    {
        var product = LowRank.Factorize(rows, importance, basis, new LowRankSettings { Rank = form.Rank, CodeBits = entry.CodeBits }, threads);
        return entry.CodeBits is not null || entry.Format == FloatFormat.F32
            ? product
            : new ProductMatrix(new DenseMatrix(product.Left.ToDense(), entry.Format), new DenseMatrix(product.Right.ToDense(), entry.Format));
    }

    private static long Cost(GroupPlan plan, GroupBudget budget) => plan.Blocks.Sum(budget.Cost);
}
