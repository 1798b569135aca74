using Condense.Engine.Planning;
using FsCheck;
using FsCheck.Fluent;

namespace Condense.Engine.Tests.Planning;

public sealed class PlannerTests
{
    /// <summary>Up to 6 weights of up to 6 points with small costs, and a budget around their sum.</summary>
    private static readonly Gen<(PlanPoint[][] Weights, long Budget)> s_instances =
        from count in Gen.Choose(1, 6)
        from weights in Points().ArrayOf(count)
        from budget in Gen.Choose(0, 120)
        select (weights, (long)budget);

    [Fact]
    public void Within_one_hull_step_of_exhaustive_search_and_never_above_the_budget() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(400).WithReplay(1, 3),
            Prop.ForAll(s_instances.ToArbitrary(), instance =>
            {
                var plan = Planner.Solve(instance.Weights, instance.Budget);
                double? optimum = Exhaustive(instance.Weights, 0, instance.Budget);
                long least = instance.Weights.Sum(points => points.Min(point => point.Cost));
                Assert.Equal(least, plan.LeastCost);
                if (optimum is null)
                {
                    Assert.Null(plan.Choices);
                    Assert.True(least > instance.Budget);
                    return true;
                }

                Assert.NotNull(plan.Choices);
                var chosen = instance.Weights.Select((points, i) => points[plan.Choices[i]]).ToArray();
                Assert.Equal(plan.Cost, chosen.Sum(point => point.Cost));
                Assert.Equal(plan.Loss, chosen.Sum(point => point.Loss));
                Assert.InRange(plan.Cost, 0, instance.Budget);
                Assert.InRange(plan.Loss, optimum.Value, optimum.Value + LargestHullStep(instance.Weights));
                AssertNothingBetterFits(instance.Weights, plan, instance.Budget);
                return true;
            }));

    [Fact]
    public void On_a_hull_vertex_of_the_whole_it_is_the_optimum()
    {
        PlanPoint[][] weights =
        [
            [new(10, 100), new(20, 40), new(30, 10), new(40, 0)],
            [new(10, 50), new(20, 30), new(30, 20), new(40, 15)],
        ];
        Assert.Equal([1, 0], Choose(weights, 30));
        Assert.Equal([2, 0], Choose(weights, 40));
        Assert.Equal([2, 1], Choose(weights, 50));
        Assert.Equal([3, 3], Choose(weights, long.MaxValue));
    }

    [Fact]
    public void The_slack_is_filled_with_points_above_the_hull()
    {
        // The point at 15 lies above the hull and is still the best that fits in 19.
        PlanPoint[][] weights = [[new(10, 100), new(15, 90), new(20, 0)]];
        Assert.Equal([1], Choose(weights, 19));
        Assert.Equal([2], Choose(weights, 20));
    }

    [Fact]
    public void A_budget_below_the_least_cost_is_told_with_that_cost()
    {
        var plan = Planner.Solve([[new(10, 1)], [new(7, 3), new(5, 9)]], 14);
        Assert.Null(plan.Choices);
        Assert.Equal(15, plan.LeastCost);
        Assert.Equal([0, 1], Choose([[new(10, 1)], [new(7, 3), new(5, 9)]], 15));
        Assert.Equal([], Choose([], 0));
    }

    [Fact]
    public void Ties_go_to_the_earlier_weight()
    {
        PlanPoint[] points = [new(1, 10), new(2, 5)];
        Assert.Equal([1, 1, 0], Choose([points, points, points], 5));
        Assert.Equal([1], Choose([[new(2, 5), new(1, 5), new(1, 5)]], 9));
    }

    [Fact]
    public void An_infinite_loss_is_left_as_soon_as_possible() =>
        Assert.Equal([1, 0], Choose([[new(1, double.PositiveInfinity), new(9, 1)], [new(1, 50), new(2, 0)]], 10));

    [Fact]
    public void Points_that_mean_nothing_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Planner.Solve([[]], 1));
        Assert.Throws<ArgumentException>(() => Planner.Solve([[new(-1, 1)]], 1));
        Assert.Throws<ArgumentException>(() => Planner.Solve([[new(1, -1)]], 1));
        Assert.Throws<ArgumentException>(() => Planner.Solve([[new(1, double.NaN)]], 1));
    }

    private static Gen<PlanPoint[]> Points() =>
        from count in Gen.Choose(1, 6)
        from points in (from cost in Gen.Choose(0, 30) from loss in Gen.Choose(0, 100) select new PlanPoint(cost, loss)).ArrayOf(count)
        select points;

    private static int[] Choose(PlanPoint[][] weights, long budget) => Planner.Solve(weights, budget).Choices!;

    private static double? Exhaustive(PlanPoint[][] weights, int next, long budget)
    {
        if (next == weights.Length)
        {
            return 0;
        }

        double? best = null;
        foreach (var point in weights[next].Where(point => point.Cost <= budget))
        {
            if (Exhaustive(weights, next + 1, budget - point.Cost) is { } rest && !(best <= rest + point.Loss))
            {
                best = rest + point.Loss;
            }
        }

        return best;
    }

    private static double LargestHullStep(PlanPoint[][] weights)
    {
        double largest = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            int[] vertices = PlanHull.Of(weights[i], i).Vertices;
            for (int v = 1; v < vertices.Length; v++)
            {
                largest = Math.Max(largest, weights[i][vertices[v - 1]].Loss - weights[i][vertices[v]].Loss);
            }
        }

        return largest;
    }

    private static void AssertNothingBetterFits(PlanPoint[][] weights, Plan plan, long budget)
    {
        for (int i = 0; i < weights.Length; i++)
        {
            var current = weights[i][plan.Choices![i]];
            Assert.DoesNotContain(weights[i], point => point.Loss < current.Loss && point.Cost - current.Cost <= budget - plan.Cost);
        }
    }
}
