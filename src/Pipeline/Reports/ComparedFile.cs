using Condense.Models;

namespace Condense.Pipeline.Reports;

/// <summary>A file of a comparison.</summary>
/// <param name="Format">Its format.</param>
/// <param name="Sha256">SHA-256 of the main file, lower-case hex.</param>
/// <param name="Bytes">Bytes of all its files.</param>
public sealed record ComparedFile(ModelFormat Format, string Sha256, long Bytes);
