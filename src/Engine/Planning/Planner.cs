namespace Condense.Engine.Planning;

/// <summary>min Σ loss subject to Σ cost ≤ budget, one point per weight by a Lagrangian on each weight's lower convex hull, then a greedy fill.</summary>
public static class Planner
{
}
