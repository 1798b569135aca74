using Condense.Service.Idempotency;
using Microsoft.EntityFrameworkCore.Storage;
using Quartz;

namespace Condense.Service.Storage;

/// <summary>
/// Every change of rows, triggers and artifacts goes through here: one transaction for all of them, one at a time in this process. SQLite has
/// one writer anyway; waiting here costs no thread, waiting in SQLite would.
/// </summary>
internal sealed class WriteTransaction(CondenseDbContext db, WriteGate gate, ISchedulerFactory schedulers, IdempotentRequest request)
{
    private readonly List<Action> _committed = [];

    /// <summary>Called from within a transaction: what shall happen when it is committed, and not otherwise. It must be short and not throw.</summary>
    public void WhenCommitted(Action action) => _committed.Add(action);

    /// <summary>Changes rows; an exception rolls everything back. Works while the scheduler shuts down, too.</summary>
    /// <param name="work">Changes rows through the context.</param>
    /// <param name="cancellationToken">Gives up; nothing is stored.</param>
    /// <param name="afterCommit">What must happen after the commit, before anyone else writes: the removal of a file.</param>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken, Func<T, Task>? afterCommit = null)
    {
        await gate.EnterAsync(cancellationToken);
        try
        {
            // On SQLite this is BEGIN IMMEDIATE: no transaction is upgraded from reader to writer half-way.
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            var result = await work(cancellationToken);
            await request.RecordAsync(result, cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            if (afterCommit is not null)
            {
                await afterCommit(result);
            }

            _committed.ForEach(action => action());
            return result;
        }
        finally
        {
            _committed.Clear();
            db.ChangeTracker.Clear();
            gate.Leave();
        }
    }

    /// <summary>Changes rows and triggers together; an exception rolls everything back.</summary>
    /// <param name="work">Changes rows through the context, triggers through the scheduler.</param>
    /// <param name="cancellationToken">Gives up; nothing is stored.</param>
    public async Task<T> RunAsync<T>(Func<IScheduler, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        // Started outside the enlistment: a first start inside it is refused.
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        IDisposable? enlistment = null;
        await gate.EnterAsync(cancellationToken);
        try
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            enlistment = scheduler.EnlistTransaction(transaction.GetDbTransaction());
            var result = await work(scheduler, cancellationToken);
            await request.RecordAsync(result, cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            _committed.ForEach(action => action());
            return result;
        }
        finally
        {
            _committed.Clear();
            // After the commit: only then does the scheduler look at what has changed.
            enlistment?.Dispose();
            db.ChangeTracker.Clear();
            gate.Leave();
        }
    }
}
