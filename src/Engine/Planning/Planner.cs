namespace Condense.Engine.Planning;

/// <summary>
/// <c>min Σ loss</c> subject to <c>Σ cost ≤ budget</c>, one point for each weight: the Lagrangian's optimum on each weight's lower convex hull, then a
/// greedy fill of what is left.
/// </summary>
public static class Planner
{
    /// <summary>Chooses a point for each weight.</summary>
    /// <param name="weights">The points of each weight, in any order; at least one each, costs ≥ 0, losses ≥ 0 and not NaN.</param>
    /// <param name="budget">What all costs together may reach.</param>
    /// <returns>The choice; its <see cref="Plan.Choices"/> are null when even the cheapest points pass the budget.</returns>
    /// <exception cref="ArgumentException">A weight has no point, or a point has a negative cost or loss.</exception>
    /// <remarks>
    /// Hull segments are taken in the order of the loss that they save for each unit of cost, as long as they fit; then any better point that still fits,
    /// most saving for its cost first, until none does. Within one hull segment of the optimum. Ties go to the earlier weight, then to the cheaper point.
    /// O(P·log P) for P points, and O(W·P) at worst for the fill of W weights.
    /// </remarks>
    public static Plan Solve(IReadOnlyList<IReadOnlyList<PlanPoint>> weights, long budget)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var hulls = new PlanHull[weights.Count];
        var choices = new int[weights.Count];
        long cost = 0;
        for (int i = 0; i < weights.Count; i++)
        {
            hulls[i] = PlanHull.Of(weights[i], i);
            choices[i] = hulls[i].Vertices[0];
            cost = checked(cost + weights[i][choices[i]].Cost);
        }

        long least = cost;
        if (cost > budget)
        {
            return new Plan(null, least, cost, double.PositiveInfinity);
        }

        cost = Climb(weights, hulls, choices, cost, budget);
        cost = Fill(weights, hulls, choices, cost, budget);
        double loss = 0;
        for (int i = 0; i < choices.Length; i++)
        {
            loss += weights[i][choices[i]].Loss;
        }

        return new Plan(choices, least, cost, loss);
    }

    /// <summary>Along the hulls, steepest segment first (then earlier weight, then earlier point: the queue's order is total); a weight whose next segment does not fit stays where it is.</summary>
    private static long Climb(IReadOnlyList<IReadOnlyList<PlanPoint>> weights, PlanHull[] hulls, int[] choices, long cost, long budget)
    {
        var queue = new PriorityQueue<(int Weight, int Vertex), (double, int, int)>();
        void Offer(int weight, int vertex)
        {
            if (vertex < hulls[weight].Vertices.Length)
            {
                var (from, to) = (weights[weight][hulls[weight].Vertices[vertex - 1]], weights[weight][hulls[weight].Vertices[vertex]]);
                queue.Enqueue((weight, vertex), (-Saving(from, to), weight, vertex));
            }
        }

        for (int weight = 0; weight < hulls.Length; weight++)
        {
            Offer(weight, 1);
        }

        while (queue.TryDequeue(out var move, out _))
        {
            int next = hulls[move.Weight].Vertices[move.Vertex];
            long step = weights[move.Weight][next].Cost - weights[move.Weight][choices[move.Weight]].Cost;
            if (step <= budget - cost)
            {
                cost += step;
                choices[move.Weight] = next;
                Offer(move.Weight, move.Vertex + 1);
            }
        }

        return cost;
    }

    /// <summary>Single improvements with any point, hull or not, while one fits.</summary>
    private static long Fill(IReadOnlyList<IReadOnlyList<PlanPoint>> weights, PlanHull[] hulls, int[] choices, long cost, long budget)
    {
        var queue = new PriorityQueue<(int Weight, int Point), (double, int, int)>();
        void Offer(int weight)
        {
            int best = hulls[weight].BestMove(weights[weight], choices[weight], budget - cost);
            if (best >= 0)
            {
                queue.Enqueue((weight, best), (-Saving(weights[weight][choices[weight]], weights[weight][best]), weight, best));
            }
        }

        for (int weight = 0; weight < hulls.Length; weight++)
        {
            Offer(weight);
        }

        while (queue.TryDequeue(out var move, out _))
        {
            long step = weights[move.Weight][move.Point].Cost - weights[move.Weight][choices[move.Weight]].Cost;
            if (step <= budget - cost)
            {
                cost += step;
                choices[move.Weight] = move.Point;
            }

            // What is left has shrunk since this move was offered: the weight offers its best again.
            Offer(move.Weight);
        }

        return cost;
    }

    /// <summary>Loss saved for each unit of cost; infinite where it is free.</summary>
    internal static double Saving(PlanPoint from, PlanPoint to)
    {
        double loss = from.Loss - to.Loss;
        return to.Cost == from.Cost ? double.PositiveInfinity : loss / (to.Cost - from.Cost);
    }
}
