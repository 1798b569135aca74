namespace Condense.Pipeline.Reports;

/// <summary>Something that the user should know.</summary>
/// <param name="Code">A stable word.</param>
/// <param name="Detail">A sentence.</param>
/// <param name="Layer">The layer that it concerns, if one.</param>
public sealed record ReportWarning(string Code, string Detail, string? Layer = null);
