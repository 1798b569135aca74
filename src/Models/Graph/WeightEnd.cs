namespace Condense.Models.Graph;

/// <summary>A node that does something with a weight, whether it gets the weight itself or a value that stands for it.</summary>
/// <param name="Use">The node, and the input that the value goes into.</param>
/// <param name="Place">The value.</param>
internal sealed record WeightEnd(WeightUse Use, WeightPlace Place);
