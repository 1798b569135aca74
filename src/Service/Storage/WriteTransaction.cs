using Condense.Service.Idempotency;
using Microsoft.EntityFrameworkCore.Storage;
using Quartz;

namespace Condense.Service.Storage;

/// <summary>
/// Every change of rows, triggers and artifacts goes through here: one transaction for all of them. On SQLite one at a time in this process: it has
/// one writer anyway, and waiting here costs no thread, waiting in SQLite would. On PostgreSQL many at once; one that meets another in a deadlock, or
/// loses its connection, is undone and <b>its work runs again</b>: the work reads what it needs inside, and has no effects but rows.
/// </summary>
internal sealed class WriteTransaction(
    CondenseDbContext db, WriteGate gate, ISchedulerFactory schedulers, Patience patience, IdempotentRequest request, TimeProvider clock)
{
    /// <summary>Tries of a transaction that meets others. They meet again only by chance.</summary>
    private const int MaxConflicts = 10;

    private static readonly TimeSpan s_conflictPause = TimeSpan.FromMilliseconds(10);

    private readonly List<Action> _committed = [];
    private readonly List<Action> _undone = [];
    private bool _mayHaveCommitted;

    /// <summary>Called from within a transaction: what shall happen when it is committed, and not otherwise. It must be short and not throw.</summary>
    public void WhenCommitted(Action action) => _committed.Add(action);

    /// <summary>Called from within a transaction: what shall happen when it is not committed. It must be short and not throw.</summary>
    public void WhenUndone(Action action) => _undone.Add(action);

    /// <summary>Changes rows; an exception rolls everything back. Works while the scheduler shuts down, too.</summary>
    /// <param name="work">Changes rows through the context. May run more than once.</param>
    /// <param name="cancellationToken">Gives up; nothing is stored.</param>
    /// <param name="afterCommit">What must happen after the commit: the removal of a file.</param>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken, Func<T, Task>? afterCommit = null)
    {
        var result = await RetryAsync(null, (_, cancel) => work(cancel), cancellationToken);
        if (afterCommit is not null)
        {
            await afterCommit(result);
        }

        return result;
    }

    /// <summary>Changes rows and triggers together; an exception rolls everything back.</summary>
    /// <param name="work">Changes rows through the context, triggers through the scheduler. May run more than once.</param>
    /// <param name="cancellationToken">Gives up; nothing is stored.</param>
    public async Task<T> RunAsync<T>(Func<IScheduler, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        // Started outside the enlistment: a first start inside it is refused.
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        return await RetryAsync(scheduler, (enlisted, cancel) => work(enlisted!, cancel), cancellationToken);
    }

    private async Task<T> RetryAsync<T>(IScheduler? scheduler, Func<IScheduler?, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        int conflicts = 0;
        int failures = 0;
        long firstFailure = 0;
        while (true)
        {
            try
            {
                return await OnceAsync(scheduler, work, cancellationToken);
            }
            catch (Exception exception) when (DatabaseFault.IsConflict(exception) && ++conflicts < MaxConflicts)
            {
                await Task.Delay(s_conflictPause * conflicts, clock, cancellationToken);
            }
            catch (Exception exception) when (db is not SqliteDbContext && DatabaseFault.IsAway(exception))
            {
                // The work of workers is conditional on a token, a state or a lease, and done twice it does nothing. A request's may be to add a row.
                firstFailure = failures == 0 ? clock.GetTimestamp() : firstFailure;
                if ((_mayHaveCommitted && !patience.Waits) || patience.NextPause(++failures, firstFailure) is not { } pause)
                {
                    throw;
                }

                await Task.Delay(pause, clock, cancellationToken);
            }
        }
    }

    private async Task<T> OnceAsync<T>(IScheduler? scheduler, Func<IScheduler?, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        IDisposable? enlistment = null;
        bool isCommitted = false;
        _mayHaveCommitted = false;
        await gate.EnterAsync(cancellationToken);
        try
        {
            // On SQLite this is BEGIN IMMEDIATE: no transaction is upgraded from reader to writer half-way.
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            enlistment = scheduler?.EnlistTransaction(transaction.GetDbTransaction());
            var result = await work(scheduler, cancellationToken);
            await request.RecordAsync(result, cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            _mayHaveCommitted = true;
            await transaction.CommitAsync(cancellationToken);
            isCommitted = true;
            return result;
        }
        finally
        {
            try
            {
                (isCommitted ? _committed : _undone).ForEach(action => action());

                // After the commit: only then does the scheduler look at what has changed.
                enlistment?.Dispose();
            }
            finally
            {
                // Whatever an action throws, the next writer gets in.
                _committed.Clear();
                _undone.Clear();
                db.ChangeTracker.Clear();
                gate.Leave();
            }
        }
    }
}
