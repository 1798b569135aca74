namespace Condense.Service.Problems;

/// <summary>One offending place of a request.</summary>
/// <param name="Pointer">A JSON pointer into the body, <c>?name</c> for a query parameter, or <c>/lines/n</c> for a line of a text.</param>
/// <param name="Detail">What is wrong there and what would be right.</param>
internal sealed record FieldError(string Pointer, string Detail);
