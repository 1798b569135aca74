namespace Condense.Engine.Planning;

/// <summary>What <see cref="Planner.Solve"/> found.</summary>
/// <param name="Choices">For each weight the index of its point; null when the budget is below <paramref name="LeastCost"/>.</param>
/// <param name="LeastCost">The least cost that any choice has.</param>
/// <param name="Cost">The cost of the choice; <paramref name="LeastCost"/> when there is none.</param>
/// <param name="Loss">The loss of the choice; infinite when there is none.</param>
public sealed record Plan(int[]? Choices, long LeastCost, long Cost, double Loss);
