using Condense.Pipeline.Reports;

namespace Condense.Service.Library;

/// <summary>What a model takes and gives.</summary>
/// <param name="Opsets">The operator set of each domain.</param>
/// <param name="Inputs">What goes in.</param>
/// <param name="Outputs">What comes out.</param>
internal sealed record GraphDescription(
    IReadOnlyDictionary<string, long> Opsets, IReadOnlyList<ValueDescription> Inputs, IReadOnlyList<ValueDescription> Outputs);
