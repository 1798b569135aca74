namespace Condense.Engine.Planning;

/// <summary>One weight's points without the useless ones, and the lower convex hull of the rest.</summary>
internal sealed class PlanHull
{
    /// <summary>Points where more cost brings less loss, by ascending cost.</summary>
    private readonly int[] _front;

    private PlanHull(int[] front, int[] vertices)
    {
        _front = front;
        Vertices = vertices;
    }

    /// <summary>Indices of the hull's vertices, from the cheapest point to the one of least loss.</summary>
    public int[] Vertices { get; }

    /// <summary>Sorts a weight's points. O(P·log P).</summary>
    /// <param name="points">The points.</param>
    /// <param name="weight">The weight's number, for messages.</param>
    /// <exception cref="ArgumentException">There is no point, or one has a negative cost or loss.</exception>
    public static PlanHull Of(IReadOnlyList<PlanPoint> points, int weight)
    {
        if (points.Count == 0)
        {
            throw new ArgumentException($"Weight {weight} has no point to choose.", nameof(points));
        }

        var order = new int[points.Count];
        for (int i = 0; i < order.Length; i++)
        {
            if (points[i].Cost < 0 || !(points[i].Loss >= 0))
            {
                throw new ArgumentException($"Point {i} of weight {weight} is {points[i]}; cost and loss are not negative.", nameof(points));
            }

            order[i] = i;
        }

        Array.Sort(order, (a, b) =>
            points[a].Cost != points[b].Cost ? points[a].Cost.CompareTo(points[b].Cost)
            : points[a].Loss != points[b].Loss ? points[a].Loss.CompareTo(points[b].Loss)
            : a.CompareTo(b));
        var front = new List<int>();
        var vertices = new List<int>();
        foreach (int point in order)
        {
            if (front.Count > 0 && !(points[point].Loss < points[front[^1]].Loss))
            {
                continue;
            }

            front.Add(point);

            // A vertex goes when the way past it is no less steep: savings fall along the hull.
            while (vertices.Count > 1
                && Planner.Saving(points[vertices[^1]], points[point]) >= Planner.Saving(points[vertices[^2]], points[vertices[^1]]))
            {
                vertices.RemoveAt(vertices.Count - 1);
            }

            vertices.Add(point);
        }

        return new PlanHull([.. front], [.. vertices]);
    }

    /// <summary>The point of less loss that fits in the slack and saves most for its cost, or −1. O(log P) to find where the slack ends, then O(P).</summary>
    public int BestMove(IReadOnlyList<PlanPoint> points, int current, long slack)
    {
        int best = -1;
        double saving = 0;
        int start = Array.BinarySearch(_front, current, Comparer<int>.Create((a, b) => points[a].Cost.CompareTo(points[b].Cost))) + 1;
        for (int i = start; i < _front.Length && points[_front[i]].Cost - points[current].Cost <= slack; i++)
        {
            double offered = Planner.Saving(points[current], points[_front[i]]);
            if (offered > saving)
            {
                (best, saving) = (_front[i], offered);
            }
        }

        return best;
    }
}
