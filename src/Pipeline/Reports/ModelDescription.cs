using Condense.Models;

namespace Condense.Pipeline.Reports;

/// <summary>What a model is, before anything is done to it.</summary>
public sealed record ModelDescription
{
    /// <summary>The format, found from the bytes.</summary>
    public required ModelFormat Format { get; init; }

    /// <summary>SHA-256 of the main file, lower-case hex.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Bytes of all its files.</summary>
    public required long Bytes { get; init; }

    /// <summary>Numbers in all floating-point tensors.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>The operator set of each domain; empty without a graph.</summary>
    public required IReadOnlyDictionary<string, long> Opsets { get; init; }

    /// <summary>What goes in; empty without a graph.</summary>
    public required IReadOnlyList<ValueDescription> Inputs { get; init; }

    /// <summary>What comes out; empty without a graph.</summary>
    public required IReadOnlyList<ValueDescription> Outputs { get; init; }

    /// <summary>Every compressible layer, in the order of the file.</summary>
    public required IReadOnlyList<LayerDescription> Layers { get; init; }

    /// <summary>Whether a weight holds NaN or an infinity, for which no method has an answer: the findings name each.</summary>
    public required bool Rejected { get; init; }

    /// <summary>What its owner should know: the reader's findings, then those of any format.</summary>
    public required IReadOnlyList<ModelFinding> Findings { get; init; }
}
