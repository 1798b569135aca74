using Condense.Service.Access;
using Condense.Service.Idempotency;
using Condense.Service.Jobs;
using Condense.Service.Library;
using Condense.Service.Uploads;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Condense.Service.Hosting;

/// <summary>The address <c>/v1/limits</c>.</summary>
internal static class LimitsEndpoint
{
    /// <summary>Adds it.</summary>
    public static void MapLimits(this RouteGroupBuilder group) =>
        group.MapGet("/limits", Get).WithTags("Limits").WithName("GetLimits").NeedsKey();

    /// <summary>Says how much the service takes.</summary>
    /// <param name="limits">The configured limits.</param>
    /// <param name="worker">The configured worker.</param>
    /// <param name="uploads">The configured patience.</param>
    /// <param name="quotas">The configured quotas.</param>
    /// <param name="access">The configured rates.</param>
    /// <param name="caller">Who asks.</param>
    /// <response code="200">The limits.</response>
    public static Ok<LimitsResponse> Get(
        IOptions<LimitsOptions> limits,
        IOptions<WorkerOptions> worker,
        IOptions<UploadOptions> uploads,
        IOptions<QuotaOptions> quotas,
        IOptions<AccessOptions> access,
        Caller caller) => TypedResults.Ok(new LimitsResponse
    {
        ModelBytes = limits.Value.ModelBytes,
        ModelParts = limits.Value.ModelParts,
        PartNameLength = PartName.MaxLength,
        UploadBytesPerSecond = uploads.Value.MinBytesPerSecond,
        UploadExpirySeconds = (long)uploads.Value.Expiry.TotalSeconds,
        CommitSeconds = (long)uploads.Value.CommitWithin.TotalSeconds,
        DatasetBytes = limits.Value.DatasetBytes,
        JobBytes = limits.Value.JobBytes,
        PageItems = Page.MaxLimit,
        NameLength = ResourceName.MaxLength,
        MetadataEntries = ClientMetadata.MaxEntries,
        MetadataNameLength = ClientMetadata.MaxNameLength,
        MetadataLength = ClientMetadata.MaxValueLength,
        WaitSeconds = limits.Value.LongestWait.TotalSeconds,
        Patterns = JobRequest.MaxPatterns,
        IdempotencyKeyLength = IdempotencyMiddleware.MaxLength,
        IdempotencyHours = IdempotencyKeys.Kept.TotalHours,
        ConcurrentJobs = worker.Value.Concurrency,
        AttemptsPerJob = JobLedger.MaxAttempts,
        Quotas = quotas.Value.For(caller.Tenant),
        Rates = access.Value.RatesFor(caller),
    });
}

/// <summary>How much the service takes.</summary>
internal sealed record LimitsResponse
{
    /// <summary>Bytes of an uploaded model, all its files together.</summary>
    public required long ModelBytes { get; init; }

    /// <summary>Files of a model of several files.</summary>
    public required int ModelParts { get; init; }

    /// <summary>Characters of the name of such a file.</summary>
    public required int PartNameLength { get; init; }

    /// <summary>The slowest that an upload may arrive, on average; 0 for no such bound.</summary>
    public required int UploadBytesPerSecond { get; init; }

    /// <summary>How long a resumable upload is kept after the last bytes that came.</summary>
    public required long UploadExpirySeconds { get; init; }

    /// <summary>How long after its creation a model of several files may go uncommitted.</summary>
    public required long CommitSeconds { get; init; }

    /// <summary>Bytes of an uploaded dataset.</summary>
    public required long DatasetBytes { get; init; }

    /// <summary>Bytes of a job's document.</summary>
    public required long JobBytes { get; init; }

    /// <summary>Items of a page.</summary>
    public required int PageItems { get; init; }

    /// <summary>Characters of a name.</summary>
    public required int NameLength { get; init; }

    /// <summary>Entries of the metadata of a job or model.</summary>
    public required int MetadataEntries { get; init; }

    /// <summary>Characters of a name in metadata.</summary>
    public required int MetadataNameLength { get; init; }

    /// <summary>Seconds that `Prefer: wait` is granted.</summary>
    public required double WaitSeconds { get; init; }

    /// <summary>Characters of a value in metadata.</summary>
    public required int MetadataLength { get; init; }

    /// <summary>Entries of a job's `layers`, `keep`, `methods`, each.</summary>
    public required int Patterns { get; init; }

    /// <summary>Characters of an `Idempotency-Key`.</summary>
    public required int IdempotencyKeyLength { get; init; }

    /// <summary>Hours that the first answer to a request with such a key is kept.</summary>
    public required double IdempotencyHours { get; init; }

    /// <summary>Jobs that run at once.</summary>
    public required int ConcurrentJobs { get; init; }

    /// <summary>Attempts of a job that fails through our fault.</summary>
    public required int AttemptsPerJob { get; init; }

    /// <summary>How much the tenant may have at once.</summary>
    public required Quotas Quotas { get; init; }

    /// <summary>How often the client may ask; the header `RateLimit` says how often it still may.</summary>
    public required RequestRates Rates { get; init; }
}
