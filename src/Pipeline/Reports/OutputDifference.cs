namespace Condense.Pipeline.Reports;

/// <summary>Outputs of the result beside those of the original.</summary>
/// <param name="Inputs">How the inputs were made.</param>
/// <param name="Runtime">The runtime and its version.</param>
/// <param name="RelativeUnoptimised">Relative L2 difference over all float outputs, graph optimisation disabled.</param>
/// <param name="RelativeDefault">The same at the runtime's default optimisation level, which users get.</param>
/// <param name="MaxAbsoluteUnoptimised">The greatest absolute difference of one output number, graph optimisation disabled.</param>
/// <param name="OutputRms">The root mean square of the original's outputs: near 0, relative differences say little.</param>
public sealed record OutputDifference(
    string Inputs, string Runtime, double RelativeUnoptimised, double RelativeDefault, double MaxAbsoluteUnoptimised = 0, double OutputRms = 0);
