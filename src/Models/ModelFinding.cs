namespace Condense.Models;

/// <summary>Something about a file that its owner should know, though the file can be read.</summary>
/// <param name="Code">A stable word, <c>snake_case</c>.</param>
/// <param name="Detail">A sentence.</param>
/// <param name="Tensor">The tensor that it concerns, if one.</param>
/// <param name="Offset">The place in the file, in bytes, where that helps.</param>
public sealed record ModelFinding(string Code, string Detail, string? Tensor = null, long? Offset = null);
