using Condense.Service.Hosting;
using Microsoft.Extensions.Options;

namespace Condense.Service.Isolation;

/// <summary>
/// The children of this process. Starting one and warming it up takes longer than a small job, so a child whose task has succeeded waits a while for
/// the next one of the same tenant; any other end is the child's end, too.
/// </summary>
internal sealed class ChildPool(ChildProgram program, IOptions<WorkerOptions> options, TimeProvider clock, ILogger<ChildPool> logger) : IAsyncDisposable
{
    /// <summary>Children that wait, at most; the longest idle one goes first.</summary>
    private const int MostIdle = 4;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly LinkedList<Idle> _idle = [];
    private bool _closed;

    /// <summary>Does a task in a child.</summary>
    /// <param name="tenant">Whose task it is.</param>
    /// <param name="task">The task.</param>
    /// <param name="relay">What its words lead to.</param>
    /// <param name="stop">How it is stopped.</param>
    /// <param name="memory">The memory that it may hold; null for that of a job.</param>
    /// <exception cref="ChildFaultException">The task failed.</exception>
    /// <exception cref="ChildDiedException">The child died.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public async Task<ChildResult> RunAsync(string tenant, ChildTask task, ChildRelay relay, ChildStop stop, long? memory = null)
    {
        stop.Stop.ThrowIfCancellationRequested();
        var child = Take(tenant) ?? new ChildProcess(program.Start(), clock, logger);
        bool reusable = false;
        try
        {
            var result = await child.RunAsync(task, relay, stop, memory ?? options.Value.JobMemory());
            reusable = !stop.Stop.IsCancellationRequested;
            return result;
        }
        finally
        {
            if (!reusable || !TryKeep(tenant, child))
            {
                await child.DisposeAsync();
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Idle[] all;
        lock (_lock)
        {
            _closed = true;
            all = [.. _idle];
            _idle.Clear();
        }

        foreach (var idle in all)
        {
            await idle.EndAsync();
        }
    }

    private ChildProcess? Take(string tenant)
    {
        lock (_lock)
        {
            for (var node = _idle.Last; node is not null; node = node.Previous)
            {
                if (string.Equals(node.Value.Tenant, tenant, StringComparison.Ordinal) && node.Value.Child.IsAlive)
                {
                    _idle.Remove(node);
                    node.Value.Timer.Dispose();
                    return node.Value.Child;
                }
            }
        }

        return null;
    }

    private bool TryKeep(string tenant, ChildProcess child)
    {
        var idle = new Idle(tenant, child, child.MemoryBytes);
        var retired = new List<Idle>();
        lock (_lock)
        {
            if (_closed || idle.Bytes > options.Value.IdleMemory())
            {
                return false;
            }

            idle.Timer = clock.CreateTimer(_ => Retire(idle), state: null, s_patience, Timeout.InfiniteTimeSpan);
            _idle.AddLast(idle);
            while (_idle.Count > MostIdle || _idle.Sum(one => one.Bytes) > options.Value.IdleMemory())
            {
                retired.Add(_idle.First!.Value);
                _idle.RemoveFirst();
            }
        }

        retired.ForEach(one => _ = one.EndAsync());
        return true;
    }

    private void Retire(Idle idle)
    {
        lock (_lock)
        {
            if (!_idle.Remove(idle))
            {
                return;
            }
        }

        _ = idle.EndAsync();
    }

    /// <summary>A child that waits.</summary>
    private sealed class Idle(string tenant, ChildProcess child, long bytes)
    {
        public string Tenant => tenant;

        public long Bytes => bytes;

        public ChildProcess Child => child;

        public ITimer Timer { get; set; } = null!;

        public async Task EndAsync()
        {
            await Timer.DisposeAsync();
            await child.DisposeAsync();
        }
    }
}
