using Condense.Models;
using Condense.Pipeline.Reports;
using Condense.Pipeline.Stages;

namespace Condense.Service.Jobs;

/// <summary>How far a job is.</summary>
internal sealed record JobProgress
{
    /// <summary>Where the run is.</summary>
    public required Stage Stage { get; init; }

    /// <summary>Of the whole run, 0 to 1.</summary>
    public required double Fraction { get; init; }

    /// <summary>Layers finished in this stage; reused ones count.</summary>
    public required int LayersDone { get; init; }

    /// <summary>Layers of this stage; 0 when it does not go layer by layer.</summary>
    public required int LayersTotal { get; init; }

    /// <summary>Layers of this stage that an earlier attempt had finished.</summary>
    public required int LayersReused { get; init; }

    /// <summary>Seconds until the end, if the rest goes as fast as this attempt has gone so far; absent before that can be said.</summary>
    public double? EtaSeconds { get; init; }

    /// <summary>One sentence for people.</summary>
    public required string Message { get; init; }

    /// <summary>The document of a progress.</summary>
    /// <param name="progress">How far the run is.</param>
    /// <param name="etaSeconds">Seconds until its end, if that can be said.</param>
    public static JobProgress Of(StageProgress progress, double? etaSeconds = null) => new()
    {
        Stage = progress.Stage,
        Fraction = progress.Fraction,
        LayersDone = progress.LayersDone,
        LayersTotal = progress.LayersTotal,
        LayersReused = progress.LayersReused,
        EtaSeconds = etaSeconds,
        Message = progress.Message,
    };
}

/// <summary>What a succeeded job made; the full proof is the report.</summary>
internal sealed record JobResult
{
    /// <summary>The compressed model.</summary>
    /// <example>mdl_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P</example>
    public required string Model { get; init; }

    /// <summary>SHA-256 of its file, lower-case hex.</summary>
    public required string Digest { get; init; }

    /// <summary>Its format.</summary>
    public required ModelFormat Format { get; init; }

    /// <summary>Whole-file bytes of the original.</summary>
    public required long BytesBefore { get; init; }

    /// <summary>Whole-file bytes of the result.</summary>
    public required long BytesAfter { get; init; }

    /// <summary>bytesBefore ÷ bytesAfter.</summary>
    public required double Ratio { get; init; }

    /// <summary>Numbers in the compressible weights of the original.</summary>
    public required long ParametersBefore { get; init; }

    /// <summary>Numbers stored for them in the result, as papers count.</summary>
    public required long ParametersAfter { get; init; }

    /// <summary>parametersBefore ÷ parametersAfter.</summary>
    public required double ParameterRatio { get; init; }

    /// <summary>All stored bits ÷ weights over the compressible weights of the result.</summary>
    public required double BitsPerWeight { get; init; }

    /// <summary>Multiply-adds of one pass of every compressible weight over one column, before.</summary>
    public required long MultiplyAddsBefore { get; init; }

    /// <summary>The same, after.</summary>
    public required long MultiplyAddsAfter { get; init; }

    /// <summary>‖W−Ŵ‖ ÷ ‖W‖ over the compressible weights, from the stored bytes.</summary>
    public required double RelativeError { get; init; }

    /// <summary>Layers that an earlier attempt had finished.</summary>
    public required int ReusedLayers { get; init; }
}

/// <summary>What is kept on a succeeded job's row.</summary>
/// <param name="Outcome">Whether the target was met.</param>
/// <param name="Result">What was made.</param>
/// <param name="Warnings">What the user should know.</param>
/// <param name="SecondsByStage">Seconds of each stage.</param>
/// <param name="Engine">What made it.</param>
internal sealed record JobSuccess(
    Outcome Outcome, JobResult Result, IReadOnlyList<ReportWarning> Warnings, IReadOnlyDictionary<string, double> SecondsByStage, EngineDescription Engine)
{
    /// <summary>The most memory that the run's process was seen to hold; absent in rows of version 0.2.</summary>
    public long? PeakMemoryBytes { get; init; }

    /// <summary>The short form of a report.</summary>
    public static JobSuccess Of(CompressionReport report, string modelId) => new(
        report.Outcome,
        new JobResult
        {
            Model = modelId,
            Digest = report.DigestAfter,
            Format = report.Format,
            BytesBefore = report.BytesBefore,
            BytesAfter = report.BytesAfter,
            Ratio = report.Ratio,
            ParametersBefore = report.ParametersBefore,
            ParametersAfter = report.ParametersAfter,
            ParameterRatio = report.ParameterRatio,
            BitsPerWeight = report.BitsPerWeight,
            MultiplyAddsBefore = report.MultiplyAddsBefore,
            MultiplyAddsAfter = report.MultiplyAddsAfter,
            RelativeError = report.RelativeError,
            ReusedLayers = report.ReusedLayers,
        },
        report.Warnings,
        report.SecondsByStage,
        report.Engine);
}

/// <summary>Why a job failed, in the words of the API's problems.</summary>
internal sealed record JobError
{
    /// <summary>The stable word.</summary>
    public required string Code { get; init; }

    /// <summary>The kind in one sentence.</summary>
    public required string Title { get; init; }

    /// <summary>What happened, and what to do.</summary>
    public required string Detail { get; init; }

    /// <summary>The layer that it concerns, if one.</summary>
    public string? Layer { get; init; }

    /// <summary>Whether the same job may succeed later.</summary>
    public required bool Retryable { get; init; }

    /// <summary>For `infeasible_target`: the nearest target that can be met.</summary>
    public JobTarget? Nearest { get; init; }

    /// <summary>The document of a fault.</summary>
    public static JobError Of(Problems.Fault fault) => new()
    {
        Code = fault.Kind.Code,
        Title = fault.Kind.Title,
        Detail = fault.Detail,
        Layer = fault.Layer,
        Retryable = fault.Kind.Retryable,
        Nearest = fault.Nearest is { } nearest ? JobTarget.Of(nearest) : null,
    };
}
