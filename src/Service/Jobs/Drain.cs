using Condense.Service.Hosting;
using Microsoft.Extensions.Options;

namespace Condense.Service.Jobs;

/// <summary>
/// The end of this process as its attempts see it. They hear of it at once, whatever else of the process is still busy, and the time that they have
/// counts from then.
/// </summary>
internal sealed class Drain : IDisposable
{
    /// <summary>The part of the time for draining in which layers and pieces may be finished; the rest is for the rows.</summary>
    private const double Share = 0.8;

    private readonly CancellationTokenSource _over;
    private readonly CancellationTokenRegistration _registration;

    /// <summary>Waits for the process's end.</summary>
    /// <param name="lifetime">Says when it has been asked for.</param>
    /// <param name="options">How long it may take.</param>
    /// <param name="clock">Time.</param>
    public Drain(IHostApplicationLifetime lifetime, IOptions<WorkerOptions> options, TimeProvider clock)
    {
        Begun = lifetime.ApplicationStopping;
        _over = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        _registration = Begun.Register(() => _over.CancelAfter(options.Value.DrainTime * Share));
    }

    /// <summary>Cancelled when the process is asked to end.</summary>
    public CancellationToken Begun { get; }

    /// <summary>Cancelled when layers and pieces have had their time.</summary>
    public CancellationToken Over => _over.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        _registration.Dispose();
        _over.Dispose();
    }
}
