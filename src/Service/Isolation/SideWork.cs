using Condense.Service.Hosting;
using Microsoft.Extensions.Options;

namespace Condense.Service.Isolation;

/// <summary>
/// Work of seconds that does not wait for jobs: it has a small share of the memory that is always free. What needs more is begun again with what a job
/// may have, when jobs leave it.
/// </summary>
internal sealed class SideWork(ChildPool children, MemoryRoom room, IOptions<WorkerOptions> worker)
{
    /// <summary>Does a task in a child.</summary>
    /// <param name="tenant">Whose task it is.</param>
    /// <param name="task">The task; it may run twice.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What it made; null when it needs a job's memory, and other work beside the jobs has that or waits for it: try again later.</returns>
    /// <exception cref="ChildFaultException">The task failed.</exception>
    /// <exception cref="ChildDiedException">The child died, or a job's memory did not suffice.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public async Task<ChildResult?> TryRunAsync(string tenant, ChildTask task, CancellationToken cancellationToken)
    {
        var (share, whole) = (worker.Value.InspectionMemory(), worker.Value.JobMemory());
        var stop = new ChildStop(cancellationToken);
        try
        {
            return await children.RunAsync(tenant, task, ChildRelay.None, stop, share);
        }
        catch (ChildDiedException exception) when (exception.RanOutOfMemory && share < whole)
        {
            using var place = await room.TryInspectAsync(whole, cancellationToken);
            return place is null ? null : await children.RunAsync(tenant, task, ChildRelay.None, stop, whole);
        }
    }
}
