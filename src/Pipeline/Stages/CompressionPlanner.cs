using System.Collections.Immutable;
using Condense.Engine.Planning;
using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Stages;

/// <summary>Chooses one candidate per layer such that the target is met and the sum of relative losses is least.</summary>
internal static class CompressionPlanner
{
    /// <summary>How often a plan is laid out and the budget corrected by what names and nodes really took.</summary>
    private const int Rounds = 10;

    /// <summary>Improvements that are tried on what the rounds have found.</summary>
    private const int Fills = 64;

    /// <summary>A plan this close beneath the limit is taken at once.</summary>
    private const double CloseEnough = 0.999;

    /// <summary>Solves for the least loss. O(rounds·(candidates·log + nodes)).</summary>
    /// <param name="size">Counts and limit.</param>
    /// <param name="candidates">The candidates of each layer; none is empty.</param>
    /// <param name="losses">The loss of each, in the same order.</param>
    /// <returns>One candidate per layer.</returns>
    /// <exception cref="RecipeException">Even the smallest plan is too large: <c>infeasible_target</c> with the nearest.</exception>
    public static ImmutableArray<Candidate> Solve(SizeModel size, IReadOnlyList<ImmutableArray<Candidate>> candidates, IReadOnlyList<ImmutableArray<double>> losses)
    {
        var points = Points(size, candidates, losses);
        long budget = size.Limit;
        if (size.CountsBytes)
        {
            // What lies in the file beside the layers.
            var first = Smallest(size, candidates, losses);
            budget -= size.Measure(first) - Sum(size, first);
        }

        int[]? best = null;
        (double Loss, long Size) reached = (double.PositiveInfinity, long.MaxValue);
        int tooLarge = 0;
        for (int round = 0; round < Rounds; round++)
        {
            if (Planner.Solve(points, budget).Choices is not { } chosen)
            {
                break;
            }

            var plan = chosen.Select((choice, layer) => candidates[layer][choice]).ToImmutableArray();
            double loss = chosen.Select((choice, layer) => points[layer][choice].Loss).Sum();
            long exact = size.Measure(plan);
            if (exact <= size.Limit && (loss, exact).CompareTo(reached) < 0)
            {
                best = chosen;
                reached = (loss, exact);
            }

            long slack = size.Limit - exact;
            if (!size.CountsBytes || slack == 0 || (slack > 0 && exact >= CloseEnough * size.Limit) || loss == 0)
            {
                break;
            }

            // Where plans lie close together the next one may be too large by as much again: the budget falls faster each time.
            tooLarge = slack < 0 ? tooLarge + 1 : 0;
            budget += slack < 0 ? slack << (tooLarge - 1) : slack;
        }

        if (best is null)
        {
            return CheckFeasible(size, candidates, losses);
        }

        Fill(size, candidates, points, best, reached.Size);
        return [.. best.Select((choice, layer) => candidates[layer][choice])];
    }

    /// <summary>
    /// Single improvements that fit by the exact size, most loss saved for its cost first. Layers share constants, so costs do not quite add up, and a plan
    /// that fits by their sum may lie a little above the limit or well beneath it. O(fills·(candidates + nodes)).
    /// </summary>
    private static void Fill(SizeModel size, IReadOnlyList<ImmutableArray<Candidate>> candidates, PlanPoint[][] points, int[] choices, long exact)
    {
        var refused = new HashSet<(int Layer, int Choice)>();
        for (int fill = 0; fill < Fills && exact < CloseEnough * size.Limit; fill++)
        {
            (int Layer, int Choice, double Saving) best = (-1, 0, 0);
            for (int layer = 0; layer < choices.Length; layer++)
            {
                var from = points[layer][choices[layer]];
                for (int choice = 0; choice < points[layer].Length; choice++)
                {
                    var to = points[layer][choice];
                    long step = to.Cost - from.Cost;
                    double saving = (from.Loss - to.Loss) / Math.Max(1, step);
                    if (step <= size.Limit - exact && saving > best.Saving && !refused.Contains((layer, choice)))
                    {
                        best = (layer, choice, saving);
                    }
                }
            }

            if (best.Layer < 0)
            {
                return;
            }

            int before = choices[best.Layer];
            choices[best.Layer] = best.Choice;
            long measured = size.Measure([.. choices.Select((choice, layer) => candidates[layer][choice])]);
            if (measured <= size.Limit)
            {
                exact = measured;
            }
            else
            {
                choices[best.Layer] = before;
                refused.Add((best.Layer, best.Choice));
            }
        }
    }

    /// <summary>The smallest plan, when it meets the target.</summary>
    /// <param name="size">Counts and limit.</param>
    /// <param name="candidates">The candidates of each layer; none is empty.</param>
    /// <param name="losses">Their losses; null when nothing has been measured yet.</param>
    /// <exception cref="RecipeException">It does not: <c>infeasible_target</c> with the nearest.</exception>
    public static ImmutableArray<Candidate> CheckFeasible(
        SizeModel size, IReadOnlyList<ImmutableArray<Candidate>> candidates, IReadOnlyList<ImmutableArray<double>>? losses)
    {
        var smallest = Smallest(size, candidates, losses);
        long least = size.Measure(smallest);
        if (least <= size.Limit)
        {
            return smallest;
        }

        var nearest = size.TargetMetBy(least);
        string message = FormattableString.Invariant($"The target can't be met with the methods and layers allowed: the smallest result is {least:N0} where {size.Limit:N0} is the limit; the nearest feasible value is {nearest.Value}.");
        string pointer = $"/target/{char.ToLowerInvariant(nearest.Kind.ToString()[0])}{nearest.Kind.ToString()[1..]}";
        throw new RecipeException("infeasible_target", message, [new RecipeProblem(pointer, message)], nearest);
    }

    /// <summary>The least that each layer can cost; the lower loss between equals.</summary>
    public static ImmutableArray<Candidate> Smallest(SizeModel size, IReadOnlyList<ImmutableArray<Candidate>> candidates, IReadOnlyList<ImmutableArray<double>>? losses) =>
    [
        .. candidates.Select((ladder, layer) => ladder
            .Select((candidate, index) => (candidate, cost: size.Cost(layer, candidate), loss: losses is null ? 0 : losses[layer][index]))
            .Where(choice => double.IsFinite(choice.loss))
            .MinBy(choice => (choice.cost, choice.loss)).candidate),
    ];

    private static long Sum(SizeModel size, IReadOnlyList<Candidate> plan) => plan.Select((candidate, layer) => size.Cost(layer, candidate)).Sum();

    /// <summary>Cost and loss of each candidate; one that can't be applied costs more than any budget.</summary>
    private static PlanPoint[][] Points(SizeModel size, IReadOnlyList<ImmutableArray<Candidate>> candidates, IReadOnlyList<ImmutableArray<double>> losses) =>
    [
        .. candidates.Select((ladder, layer) => ladder
            .Select((candidate, index) => double.IsFinite(losses[layer][index]) ? new PlanPoint(size.Cost(layer, candidate), losses[layer][index]) : new PlanPoint(long.MaxValue / 1024, double.MaxValue))
            .ToArray()),
    ];
}
