using System.ComponentModel.DataAnnotations;

namespace Condense.Service.Hosting;

/// <summary>How much the service takes from a client.</summary>
internal sealed record LimitsOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Limits";

    /// <summary>Bytes of an uploaded model. Default 8 GiB.</summary>
    [Range(1, long.MaxValue)]
    public long ModelBytes { get; init; } = 8L << 30;

    /// <summary>Files of a model of several files. Default 1000.</summary>
    [Range(1, 100_000)]
    public int ModelParts { get; init; } = 1000;

    /// <summary>Bytes of an uploaded dataset. Default 64 MiB.</summary>
    [Range(1, 1L << 30)]
    public long DatasetBytes { get; init; } = 64L << 20;

    /// <summary>Bytes of a job's document. Default 1 MiB.</summary>
    [Range(1, 1L << 30)]
    public long JobBytes { get; init; } = 1L << 20;
}
