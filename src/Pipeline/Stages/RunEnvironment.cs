namespace Condense.Pipeline.Stages;

/// <summary>What a run is given by its host.</summary>
public sealed record RunEnvironment
{
    /// <summary>
    /// A folder for finished layers. A later run with the same folder reuses them by content (tensor digest, method, settings, seed, engine
    /// version), so a run that was killed goes on where it was. The host removes it.
    /// </summary>
    public required string WorkDirectory { get; init; }

    /// <summary>Threads for numerics, ≥ 1. The result does not depend on it.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Time for the report's stopwatches.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Where finished pieces and work are shared with other runs; null: nowhere.</summary>
    public IPieceExchange? Exchange { get; init; }

    /// <summary>Ends the run as a cancellation does, but only when the layer in work is finished and stored.</summary>
    public CancellationToken Drain { get; init; }

    /// <summary>
    /// The path of ONNX Runtime's shared library, or null. With it, ONNX results are run beside the original and the output difference is in the
    /// report; without it the report says so.
    /// </summary>
    public string? OnnxRuntimeLibrary { get; init; }
}
