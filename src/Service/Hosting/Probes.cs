using Condense.Service.Access;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Hosting;

/// <summary>The addresses that tell whether the service lives, is ready, and has started. They reveal nothing else.</summary>
internal static class Probes
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    /// <summary>Adds them.</summary>
    public static void MapProbes(this WebApplication app)
    {
        var probes = app.MapGroup("").WithTags("Probes");
        probes.MapGet("/livez", Live).WithName("IsLive").IsOpen();
        probes.MapGet("/startupz", Live).WithName("HasStarted").IsOpen();
        probes.MapGet("/readyz", Ready).WithName("IsReady").IsOpen().Fails(ProblemKind.Draining, ProblemKind.DatabaseUnavailable);
    }

    /// <summary>Whether the process answers.</summary>
    /// <response code="200">It does.</response>
    public static ContentHttpResult Live() => TypedResults.Text("ok");

    /// <summary>Whether requests can be served.</summary>
    /// <param name="db">The tables.</param>
    /// <param name="lifetime">The process.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <response code="200">They can.</response>
    public static async Task<ContentHttpResult> Ready(CondenseDbContext db, IHostApplicationLifetime lifetime, CancellationToken cancellationToken)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw new ProblemException(ProblemKind.Draining, "The service is stopping.");
        }

        // A statement, not only a connection: one out of the pool may be dead. And soon: whoever asks has a limit of its own.
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        soon.CancelAfter(s_patience);
        try
        {
            await db.Database.ExecuteSqlRawAsync("SELECT 1", soon.Token);
            return TypedResults.Text("ok");
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(ProblemKind.DatabaseUnavailable, "The database does not answer.", innerException: exception);
        }
    }
}
