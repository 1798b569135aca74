using Condense.Pipeline.Stages;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Jobs;

/// <summary>
/// The layers that attempts share. Taking one is one statement with the database's clock in it; whoever stops renewing loses it to the next who asks.
/// Nothing here outlives the attempt: another fencing token, or another state, and no statement finds a row.
/// </summary>
internal sealed class LayerUnits(CondenseDbContext db, WriteTransaction transaction)
{
    /// <summary>How long a layer stays with who has taken it, without a word from there.</summary>
    private const int LeaseMilliseconds = 10_000;

    /// <summary>How often a lease is renewed.</summary>
    public static readonly TimeSpan Renewal = TimeSpan.FromSeconds(2);

    private const string TakeSqlite = $$"""
        UPDATE layer_unit SET worker = {3}, lease_until = {{NowSqlite}} + {4}
        WHERE job_id = {0} AND token = {1} AND stage = {2} AND layer = (
            SELECT layer FROM layer_unit WHERE job_id = {0} AND token = {1} AND stage = {2} AND NOT is_done AND lease_until < {{NowSqlite}}
            ORDER BY cost DESC, layer LIMIT 1)
        AND EXISTS (SELECT 1 FROM job WHERE id = {0} AND token = {1} AND state = 'Running')
        RETURNING layer AS "Value"
        """;

    private const string TakePostgres = $$"""
        UPDATE layer_unit SET worker = {3}, lease_until = {{NowPostgres}} + {4}
        WHERE job_id = {0} AND token = {1} AND stage = {2} AND layer = (
            SELECT layer FROM layer_unit WHERE job_id = {0} AND token = {1} AND stage = {2} AND NOT is_done AND lease_until < {{NowPostgres}}
            ORDER BY cost DESC, layer LIMIT 1 FOR UPDATE SKIP LOCKED)
        AND EXISTS (SELECT 1 FROM job WHERE id = {0} AND token = {1} AND state = 'Running')
        RETURNING layer AS "Value"
        """;

    private const string RenewSqlite = $$"""
        UPDATE layer_unit SET lease_until = {{NowSqlite}} + {3}
        WHERE job_id = {0} AND token = {1} AND stage = {4} AND layer = {5} AND worker = {2} AND NOT is_done AND lease_until >= {{NowSqlite}}
        AND EXISTS (SELECT 1 FROM job WHERE id = {0} AND token = {1} AND state = 'Running')
        """;

    private const string RenewPostgres = $$"""
        UPDATE layer_unit SET lease_until = {{NowPostgres}} + {3}
        WHERE job_id = {0} AND token = {1} AND stage = {4} AND layer = {5} AND worker = {2} AND NOT is_done AND lease_until >= {{NowPostgres}}
        AND EXISTS (SELECT 1 FROM job WHERE id = {0} AND token = {1} AND state = 'Running')
        """;

    private const string Open = """
        SELECT u.job_id AS "JobId", u.token AS "Token", u.stage AS "Stage"
        FROM layer_unit u JOIN job j ON j.id = u.job_id AND j.token = u.token AND j.state = 'Running'
        WHERE NOT u.is_done AND NOT EXISTS (SELECT 1 FROM job WHERE state = 'Queued' AND lease_until = 0)
        """;

    private const string InOrder = "ORDER BY j.priority DESC, j.id LIMIT 1";

    private const string FindSqlite = $"{Open} AND u.lease_until < {NowSqlite} {InOrder}";

    private const string FindPostgres = $"{Open} AND u.lease_until < {NowPostgres} {InOrder}";

    private const string NowSqlite = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

    private const string NowPostgres = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)";

    /// <summary>Shares layers of an attempt; a second time, after an answer that was lost, it changes nothing.</summary>
    public Task ShareAsync(Job claim, Stage stage, IReadOnlyList<SharedLayer> layers, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel =>
            {
                string word = Word(stage);
                if (!await UnitsOf(claim, word).AnyAsync(cancel))
                {
                    db.AddRange(layers.Select(layer => new LayerUnit { JobId = claim.Id, Token = claim.Token, Stage = word, Layer = layer.Layer, Cost = layer.Cost }));
                }

                return true;
            },
            cancellationToken);

    /// <summary>Takes a layer, the dearest first.</summary>
    /// <returns>Its number; null when there is none to take now.</returns>
    public async Task<int?> TakeAsync(string jobId, int token, Stage stage, string worker, CancellationToken cancellationToken)
    {
        var taken = await transaction.RunAsync(
            cancel => db.Database
                .SqlQueryRaw<int>(db.Database.IsSqlite() ? TakeSqlite : TakePostgres, jobId, token, Word(stage), worker, (long)LeaseMilliseconds)
                .ToListAsync(cancel),
            cancellationToken);
        return taken.Count == 0 ? null : taken[0];
    }

    /// <summary>Keeps the layer that a worker has taken.</summary>
    /// <returns>False when it has lost it: it is to stop.</returns>
    public Task<bool> RenewAsync(string jobId, int token, Stage stage, int layer, string worker, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel => await db.Database.ExecuteSqlRawAsync(
                db.Database.IsSqlite() ? RenewSqlite : RenewPostgres, [jobId, token, worker, (long)LeaseMilliseconds, Word(stage), layer], cancel) > 0,
            cancellationToken);

    /// <summary>Takes the layers of a stage from those who have them, or from one of them: who asks next takes them.</summary>
    public Task ReleaseAsync(Job claim, Stage stage, string? worker, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            cancel => UnitsOf(claim, Word(stage)).Where(unit => !unit.IsDone && (worker == null || unit.Worker == worker))
                .ExecuteUpdateAsync(set => set.SetProperty(unit => unit.LeaseUntil, 0), cancel),
            cancellationToken);

    /// <summary>A layer is finished, and its pieces are stored.</summary>
    public Task FinishAsync(string jobId, int token, Stage stage, int layer, CancellationToken cancellationToken)
    {
        string word = Word(stage);
        return transaction.RunAsync(
            cancel => db.Units
                .Where(unit => unit.JobId == jobId && unit.Token == token && unit.Stage == word && unit.Layer == layer)
                .ExecuteUpdateAsync(set => set.SetProperty(unit => unit.IsDone, true), cancel),
            cancellationToken);
    }

    /// <summary>Whether layers of a stage are still being worked on.</summary>
    public Task<bool> AnyOpenAsync(Job claim, Stage stage, CancellationToken cancellationToken) =>
        UnitsOf(claim, Word(stage)).AnyAsync(unit => !unit.IsDone, cancellationToken);

    /// <summary>Removes what an attempt has shared: it has ended.</summary>
    public Task RemoveAsync(Job claim, CancellationToken cancellationToken) =>
        transaction.RunAsync(cancel => db.Units.Where(unit => unit.JobId == claim.Id && unit.Token <= claim.Token).ExecuteDeleteAsync(cancel), cancellationToken);

    /// <summary>A stage of a running job that has layers to take; null when there is none, or while whole jobs wait: they come first.</summary>
    public async Task<OpenStage?> FindAsync(CancellationToken cancellationToken)
    {
        var found = await db.Database.SqlQueryRaw<OpenStage>(db.Database.IsSqlite() ? FindSqlite : FindPostgres).ToListAsync(cancellationToken);
        return found.Count == 0 ? null : found[0];
    }

    private IQueryable<LayerUnit> UnitsOf(Job claim, string stage) => db.Units.Where(unit => unit.JobId == claim.Id && unit.Token == claim.Token && unit.Stage == stage);

    private static string Word(Stage stage) => stage == Stage.Analysing ? "analysing" : "compressing";

    /// <summary>Where there is something to take.</summary>
    /// <param name="JobId">The job.</param>
    /// <param name="Token">Its attempt.</param>
    /// <param name="Stage">The stage's word.</param>
    internal sealed record OpenStage(string JobId, int Token, string Stage)
    {
        /// <summary>The stage.</summary>
        public Stage ToStage() => Enum.Parse<Stage>(Stage, ignoreCase: true);
    }
}
