using Condense.Pipeline.Reports;

namespace Condense.Service.Isolation;

/// <summary>What a child has made.</summary>
/// <param name="Report">The proof; null unless it has compressed.</param>
/// <param name="Description">What the model is; null after an assistance and an expansion.</param>
/// <param name="PeakMemoryBytes">The most memory of its own that it was seen to hold.</param>
internal sealed record ChildResult(CompressionReport? Report, ModelDescription? Description, long PeakMemoryBytes);
