using Condense.Models;
using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Reports;

/// <summary>What a run did and what it cost, measured on the file that it wrote. The same document from the API and the command line.</summary>
public sealed record CompressionReport
{
    /// <summary>Whether the target was met.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>The format of the original; null in a report of an earlier version, when it was that of the result.</summary>
    public ModelFormat? FormatBefore { get; init; }

    /// <summary>The format of the result.</summary>
    public required ModelFormat Format { get; init; }

    /// <summary>The opset of the original's standard operators; null without a graph.</summary>
    public long? OpsetBefore { get; init; }

    /// <summary>The opset of the result's standard operators; null without a graph.</summary>
    public long? OpsetAfter { get; init; }

    /// <summary>What was asked.</summary>
    public CompressionTarget? Target { get; init; }

    /// <summary>Seed of the run.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Whole-file bytes of the original, all its parts.</summary>
    public required long BytesBefore { get; init; }

    /// <summary>Whole-file bytes of the result.</summary>
    public required long BytesAfter { get; init; }

    /// <summary>BytesBefore ÷ BytesAfter.</summary>
    public required double Ratio { get; init; }

    /// <summary>Numbers in the compressible weights of the original.</summary>
    public required long ParametersBefore { get; init; }

    /// <summary>Numbers stored for them in the result, as papers count.</summary>
    public required long ParametersAfter { get; init; }

    /// <summary>ParametersBefore ÷ ParametersAfter.</summary>
    public required double ParameterRatio { get; init; }

    /// <summary>All stored bits ÷ weights over the compressible weights of the result.</summary>
    public required double BitsPerWeight { get; init; }

    /// <summary>Multiply-adds of one pass of every compressible weight over one column, before.</summary>
    public required long MultiplyAddsBefore { get; init; }

    /// <summary>The same, after.</summary>
    public required long MultiplyAddsAfter { get; init; }

    /// <summary><c>√(Σ‖W−Ŵ‖² ÷ Σ‖W‖²)</c> over the compressible weights, from the stored bytes.</summary>
    public required double RelativeError { get; init; }

    /// <summary>SHA-256 of the original's main file, lower-case hex.</summary>
    public required string DigestBefore { get; init; }

    /// <summary>SHA-256 of the result, lower-case hex.</summary>
    public required string DigestAfter { get; init; }

    /// <summary>Every compressible layer, in the order of the file; kept ones too.</summary>
    public required IReadOnlyList<LayerReport> Layers { get; init; }

    /// <summary>The result against the original in ONNX Runtime; null when it was not run, with the reason in <see cref="Warnings"/>.</summary>
    public OutputDifference? OutputDifference { get; init; }

    /// <summary>What the user should know.</summary>
    public required IReadOnlyList<ReportWarning> Warnings { get; init; }

    /// <summary>Seconds of each stage.</summary>
    public required IReadOnlyDictionary<string, double> SecondsByStage { get; init; }

    /// <summary>Layers that an earlier attempt had finished.</summary>
    public required int ReusedLayers { get; init; }

    /// <summary>What made it.</summary>
    public required EngineDescription Engine { get; init; }
}
