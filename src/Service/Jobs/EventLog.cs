using Condense.Service.Access;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Jobs;

/// <summary>Reads the events of jobs, each time through a context of its own: whoever waits for the next event holds none.</summary>
internal sealed class EventLog(IServiceScopeFactory scopes)
{
    /// <summary>Events of one answer.</summary>
    public const int Limit = 1000;

    /// <summary>The events after a given one, oldest first, at most <see cref="Limit"/>.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="id">The job.</param>
    /// <param name="after">Only events with a higher sequence.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="Problems.ProblemException">There is no such job.</exception>
    public async Task<EventPage> ReadAsync(string tenant, string id, int after, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<Caller>().Become(tenant);
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();

        // The job first: once it has ended, all its events are there for the second look.
        var job = await db.Jobs.AsNoTracking().Where(row => row.Id == id).Select(row => new { row.State, row.EventCount }).SingleOrDefaultAsync(cancellationToken)
            ?? throw JobLedger.NoJob(id);
        List<JobEvent> events = after >= job.EventCount
            ? []
            : await db.Events.AsNoTracking()
                .Where(item => item.JobId == id && item.Sequence > after)
                .OrderBy(item => item.Sequence)
                .Take(Limit)
                .ToListAsync(cancellationToken);
        int last = events.Count > 0 ? events[^1].Sequence : after;
        return new EventPage([.. events.Select(EventResponse.Of)], job.EventCount, job.State.IsTerminal() && last >= job.EventCount);
    }
}

/// <summary>Some of a job's events.</summary>
/// <param name="Events">The events, oldest first.</param>
/// <param name="Count">Events of the job when it was looked at.</param>
/// <param name="IsEnd">Whether none will ever follow.</param>
internal sealed record EventPage(IReadOnlyList<EventResponse> Events, int Count, bool IsEnd);
