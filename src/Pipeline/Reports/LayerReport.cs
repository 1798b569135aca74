using Condense.Engine.Structures;
using Condense.Models.Graph;

namespace Condense.Pipeline.Reports;

/// <summary>One layer of a report.</summary>
public sealed record LayerReport
{
    /// <summary>The layer's name.</summary>
    public required string Name { get; init; }

    /// <summary>What it does.</summary>
    public required WeightRole Role { get; init; }

    /// <summary>Rows of W: out.</summary>
    public required int Rows { get; init; }

    /// <summary>Columns of W: in.</summary>
    public required int Columns { get; init; }

    /// <summary><c>keep</c> or a method of the catalogue.</summary>
    public required string Method { get; init; }

    /// <summary>The structure that stands for it; null when it was kept.</summary>
    public StructureForm? Form { get; init; }

    /// <summary>Bytes of its tensor before.</summary>
    public required long BytesBefore { get; init; }

    /// <summary>Bytes of all its tensors after.</summary>
    public required long BytesAfter { get; init; }

    /// <summary><c>‖W−Ŵ‖_F ÷ ‖W‖_F</c>, from the stored bytes.</summary>
    public required double RelativeError { get; init; }

    /// <summary><c>√(Σ wᵢ‖Wᵢ−Ŵᵢ‖² ÷ Σ wᵢ‖Wᵢ‖²)</c> with the row weights; null without any.</summary>
    public double? WeightedRelativeError { get; init; }

    /// <summary><c>√(Σ‖Wᵢ−Ŵᵢ‖² ÷ Σ‖Wᵢ‖²)</c> over the heaviest 1 % of the rows by row weight; null without any.</summary>
    public double? HeadError { get; init; }

    /// <summary>The same over the next 9 %.</summary>
    public double? MidError { get; init; }

    /// <summary>The same over all other rows.</summary>
    public double? TailError { get; init; }

    /// <summary>For low rank: the least error that any matrix of that rank has (Eckart–Young), or blocks of those rows and ranks, in the norm that was minimised; else null.</summary>
    public double? Bound { get; init; }

    /// <summary>Multiply-adds of one pass over one column, as it is stored now.</summary>
    public long? MultiplyAdds { get; init; }

    /// <summary>How its energy falls with the rank; null where no method had to know.</summary>
    public LayerSpectrum? Spectrum { get; init; }
}
