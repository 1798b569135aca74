using Condense.Service.Storage;

namespace Condense.Service.Jobs;

/// <summary>Which jobs a list shows: those that satisfy all of it.</summary>
/// <param name="State">In this state.</param>
/// <param name="Model">Of this model.</param>
/// <param name="CreatedAfter">Accepted later.</param>
/// <param name="Metadata">With all of these names and values.</param>
internal sealed record JobFilter(JobState? State, string? Model, DateTimeOffset? CreatedAfter, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>
    /// Requests of more characters are left out of lists: a hundred of the longest would be 100 MiB.
    /// </summary>
    public const int MaxRequest = 16 << 10;

    /// <summary>The rows before a given one, newest first, without what lists do not show.</summary>
    /// <param name="db">The tables.</param>
    /// <param name="before">The id of the last row of the page before; null for the first page.</param>
    public IQueryable<Job> Rows(CondenseDbContext db, string? before)
    {
        IQueryable<Job> jobs = db.Jobs;
        if (before is not null)
        {
            jobs = jobs.Where(job => job.Id.CompareTo(before) < 0);
        }

        if (State is { } state)
        {
            jobs = jobs.Where(job => job.State == state);
        }

        if (Model is { } model)
        {
            jobs = jobs.Where(job => job.ModelId == model);
        }

        if (CreatedAfter is { } moment)
        {
            // An id begins with the moment of its making, which is not before the row's: the index over ids ends the search.
            string first = IdSource.First(Job.IdPrefix, moment);
            jobs = jobs.Where(job => job.Id.CompareTo(first) >= 0 && job.CreatedAt > moment);
        }

        foreach (var (key, value) in Metadata)
        {
            jobs = jobs.Where(job => db.JobMetadata.Any(entry => entry.JobId == job.Id && entry.Key == key && entry.Value == value));
        }

        return jobs.OrderByDescending(job => job.Id).Select(job => new Job
        {
            Id = job.Id,
            TenantId = job.TenantId,
            ModelId = job.ModelId,
            RequestJson = job.RequestJson.Length <= MaxRequest ? job.RequestJson : "",
            Priority = job.Priority,
            CreatedAt = job.CreatedAt,
            State = job.State,
            ExpiresAt = job.ExpiresAt,
            RetryOf = job.RetryOf,
            StartedAt = job.StartedAt,
            FinishedAt = job.FinishedAt,
            ProgressJson = job.ProgressJson,
            ResultJson = job.ResultJson,
            ErrorJson = job.ErrorJson,
        });
    }
}
