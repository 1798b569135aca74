using Condense.Service.Access;
using Condense.Service.Jobs;
using Condense.Service.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Hosting;

/// <summary>The address <c>/v1/usage</c>.</summary>
internal static class UsageEndpoint
{
    /// <summary>Adds it.</summary>
    public static void MapUsage(this RouteGroupBuilder group) =>
        group.MapGet("/usage", Get).WithTags("Limits").WithName("GetUsage").NeedsKey();

    /// <summary>Says how much of the service is in use by you.</summary>
    /// <param name="db">The tables.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <response code="200">What is stored, and jobs by their state.</response>
    public static async Task<Ok<UsageResponse>> Get(CondenseDbContext db, CancellationToken cancellationToken)
    {
        var jobs = await db.Jobs.GroupBy(job => job.State).Select(group => new { group.Key, Count = group.Count() }).ToListAsync(cancellationToken);
        return TypedResults.Ok(new UsageResponse
        {
            StoredBytes = await db.Artifacts.SumAsync(artifact => artifact.Bytes, cancellationToken),
            Models = await db.Models.CountAsync(cancellationToken),
            ModelBytes = await db.Models.SumAsync(model => model.Bytes, cancellationToken),
            Datasets = await db.Datasets.CountAsync(cancellationToken),
            Uploads = await db.Uploads.CountAsync(upload => upload.ModelId == null && upload.Offset >= 0, cancellationToken),
            UploadBytes = await db.Uploads.Where(upload => upload.ModelId == null && upload.Offset >= 0).SumAsync(upload => upload.Offset, cancellationToken),
            Jobs = Enum.GetValues<JobState>().ToDictionary(
                state => char.ToLowerInvariant(state.ToString()[0]) + state.ToString()[1..], state => jobs.Find(job => job.Key == state)?.Count ?? 0, StringComparer.Ordinal),
        });
    }
}

/// <summary>How much of the service is in use by one tenant.</summary>
internal sealed record UsageResponse
{
    /// <summary>Bytes of all files that are stored: equal ones once.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>Models, compressed ones too.</summary>
    public required int Models { get; init; }

    /// <summary>The sum of their `bytes`: what `storedBytes` would be if equal files were stored twice.</summary>
    public required long ModelBytes { get; init; }

    /// <summary>Datasets.</summary>
    public required int Datasets { get; init; }

    /// <summary>Uploads that are not whole.</summary>
    public required int Uploads { get; init; }

    /// <summary>Bytes of theirs that have arrived.</summary>
    public required long UploadBytes { get; init; }

    /// <summary>Jobs in each state.</summary>
    public required IReadOnlyDictionary<string, int> Jobs { get; init; }
}
