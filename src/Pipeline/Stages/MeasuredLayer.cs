using Condense.Engine.Methods;
using Condense.Pipeline.Reports;

namespace Condense.Pipeline.Stages;

/// <summary>A layer of the result, measured from the stored bytes.</summary>
/// <param name="Intent">The layer.</param>
/// <param name="Candidate">What was done with it.</param>
/// <param name="Error">Its errors; null when it was kept.</param>
/// <param name="Bands">What frequent and rare rows have lost; null when it was kept, or without row weights.</param>
/// <param name="Bound">The least relative error of its rank, or of its blocks' rows and ranks; null unless it is made of products.</param>
/// <param name="SquaredNorm">‖W‖².</param>
internal sealed record MeasuredLayer(LayerIntent Intent, Candidate Candidate, ErrorMeasure? Error, FrequencyBands? Bands, double? Bound, double SquaredNorm)
{
    /// <summary>How its energy falls with the rank; null where the analysis did not need it.</summary>
    public LayerSpectrum? Spectrum { get; init; }
}
