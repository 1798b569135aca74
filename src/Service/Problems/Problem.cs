using Condense.Service.Jobs;

namespace Condense.Service.Problems;

/// <summary>Every answer that is not a success (RFC 9457, <c>application/problem+json</c>).</summary>
internal sealed record Problem
{
    /// <summary>The content type.</summary>
    public const string ContentType = "application/problem+json";

    /// <summary>A URI of the kind of problem.</summary>
    public required string Type { get; init; }

    /// <summary>The kind in one sentence, the same for every occurrence.</summary>
    public required string Title { get; init; }

    /// <summary>The HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>What happened this time, and what to do.</summary>
    public required string Detail { get; init; }

    /// <summary>The stable word that programs branch on, for example `invalid_field`.</summary>
    public required string Code { get; init; }

    /// <summary>The request's trace id; the service's log has the same.</summary>
    public required string TraceId { get; init; }

    /// <summary>Whether the same request may succeed later.</summary>
    public required bool Retryable { get; init; }

    /// <summary>Each offending place, where there are any.</summary>
    public IReadOnlyList<FieldError>? Errors { get; init; }

    /// <summary>For `infeasible_target`: the nearest target that can be met.</summary>
    public JobTarget? Nearest { get; init; }
}
