using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;

namespace Condense.Pipeline.Stages;

/// <summary>Puts the forms that are worth their bytes in the place of the ones of rank 1, from one factorization for each way of grouping.</summary>
internal sealed class GroupedAnalysis(LayerIntent intent, Matrix weight, ulong seed, int threads, CancellationToken cancellationToken)
{
    /// <summary>Sizes that a planner chooses between, in equal steps of the ratio.</summary>
    private const int Steps = 40;

    private readonly Dictionary<string, GroupBasis> _bases = new(StringComparer.Ordinal);

    /// <summary>The forms of one way of grouping, with what they lose: relative squared error, +∞ where factors are beyond the range of their format.</summary>
    /// <param name="smallest">The candidate of rank 1 everywhere.</param>
    public IEnumerable<(StructureForm Form, double Loss)> Resolve(Candidate smallest)
    {
        var (form, grouping) = (smallest.Form!, smallest.Grouping!);
        var basis = BasisOf(GroupedForms.Sizes(form));
        bool applicable = basis.Peak <= grouping.Entry.Largest && DenseMatrix.Fits(weight, grouping.Entry.Format);
        bool permuted = form is RowPartitionForm { Permuted: true };
        foreach (var plan in Plans(basis, form, grouping).DistinctBy(plan => plan.Form(permuted)))
        {
            double loss = basis.TotalEnergy > 0 ? plan.SquaredError / basis.TotalEnergy : 0;
            yield return (plan.Form(permuted), applicable ? loss : double.PositiveInfinity);
        }
    }

    private IEnumerable<GroupPlan> Plans(GroupBasis basis, StructureForm smallest, Grouping grouping)
    {
        var least = basis.Plan(GroupedForms.Blocks(smallest));
        if (grouping.ParameterRatio is { } ratio)
        {
            var budget = new GroupBudget((long)(intent.ElementCount / ratio), CountsBits: false);
            yield return basis.Allocate(grouping.Ranks, grouping.Entry, budget) ?? least;
            yield break;
        }

        yield return least;
        double from = least.Blocks.Sum(block => block.StorageBits);
        double to = Math.Min(intent.Layer.Tensor.Data.ByteLength * 8.0, least.Blocks.Sum(block => grouping.Entry.Whole(block.Rows, block.Columns).StorageBits));
        for (int step = 1; step <= Steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var budget = new GroupBudget((long)(from * Math.Pow(Math.Max(1, to / from), (double)step / Steps)), CountsBits: true);
            if (basis.Allocate(grouping.Ranks, grouping.Entry, budget) is { } plan)
            {
                yield return plan;
            }
        }
    }

    private GroupBasis BasisOf(int[] sizes)
    {
        string key = string.Join(' ', sizes);
        if (!_bases.TryGetValue(key, out var basis))
        {
            basis = GroupBasis.Compute(weight, intent.Importance, RowGroups.ByWeight(intent.Importance, sizes), seed, threads, cancellationToken);
            _bases.Add(key, basis);
        }

        return basis;
    }
}
