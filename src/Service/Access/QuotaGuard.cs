using System.Collections.Concurrent;
using System.Globalization;
using Condense.Service.Datasets;
using Condense.Service.Jobs;
using Condense.Service.Library;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Condense.Service.Uploads;
using Condense.Service.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Options;

namespace Condense.Service.Access;

/// <summary>
/// Holds every tenant to its quotas, in the transaction that would exceed them: no code that adds a row can forget to ask. What a job makes is
/// never refused, as its work would be lost; it counts, and what the client brings next is.
/// </summary>
internal sealed class QuotaGuard(IOptions<QuotaOptions> options, TimeProvider clock) : SaveChangesInterceptor
{
    /// <summary>
    /// Farther than this from its quota a tenant's transactions need not wait for each other: so many can't be under way at once. Bytes have no
    /// such distance.
    /// </summary>
    private const int Distance = 1_000;

    /// <summary>So long what was measured for one job holds for the next ones: measured for each, it would cost the more, the more there is.</summary>
    private static readonly TimeSpan s_recent = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(string Tenant, Type Of), (long Value, long At)> _recent = new();

    private readonly ConcurrentDictionary<string, long> _arriving = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override async ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        if (eventData.Context is CondenseDbContext db)
        {
            var added = db.ChangeTracker.Entries().Where(entry => entry.State == EntityState.Added).Select(entry => entry.Entity).ToList();
            foreach (var rows in added.GroupBy(TenantOf, StringComparer.Ordinal).Where(rows => rows.Key.Length > 0))
            {
                await CheckAsync(new Addition(db, rows.Key, options.Value.For(rows.Key)), [.. rows], cancellationToken);
            }
        }

        return result;
    }

    /// <summary>
    /// Makes room for a body, and refuses one that would not fit, before it is read: with an announced length all of it counts at once, without one what
    /// has come. How much is really stored, each content once, is judged when its row is added.
    /// </summary>
    /// <exception cref="ProblemException">It does not fit: <c>quota_exceeded</c>.</exception>
    public async Task<Arrival> ExpectAsync(CondenseDbContext db, string tenant, long? bytes, CancellationToken cancellationToken)
    {
        var addition = new Addition(db, tenant, options.Value.For(tenant));
        long limit = addition.Quotas.StoredBytes;
        var arrival = new Arrival(_arriving, tenant, limit - await addition.StoredBytesAsync(cancellationToken), () => NoRoom(limit));
        try
        {
            arrival.Add(bytes ?? 0);
            return arrival;
        }
        catch
        {
            arrival.Dispose();
            throw;
        }
    }

    private async Task CheckAsync(Addition addition, IReadOnlyList<object> rows, CancellationToken cancellationToken)
    {
        var (db, tenant, quotas) = addition;
        if (rows.OfType<Job>().Count() is > 0 and var jobs)
        {
            await CheckJobsAsync(addition, jobs, cancellationToken);
        }

        // Of an upload it is told before its bytes come, and not only with the last of them.
        if (rows.Count(row => row is StoredModel { SourceJobId: null } or UploadSession { PartOf: null }) is > 0 and var models)
        {
            await addition.CountAsync(models, db.Models.IgnoreQueryFilters().Where(row => row.TenantId == tenant), quotas.Models, limit => Full(limit, "models"), cancellationToken);
        }

        if (rows.OfType<Dataset>().Count() is > 0 and var datasets)
        {
            await addition.CountAsync(
                datasets, db.Datasets.IgnoreQueryFilters().Where(row => row.TenantId == tenant), quotas.Datasets, limit => Full(limit, "datasets"), cancellationToken);
        }

        if (rows.OfType<UploadSession>().Count() is > 0 and var uploads)
        {
            await addition.CountAsync(
                uploads,
                db.Uploads.IgnoreQueryFilters().Where(row => row.TenantId == tenant && row.ModelId == null && row.Offset >= 0),
                quotas.Uploads,
                limit => Full(limit, "unfinished uploads"),
                cancellationToken);
        }

        if (rows.OfType<WebhookEndpoint>().Count() is > 0 and var webhooks)
        {
            await addition.CountAsync(
                webhooks, db.WebhookEndpoints.IgnoreQueryFilters().Where(row => row.TenantId == tenant), quotas.Webhooks, limit => Full(limit, "webhooks"), cancellationToken);
        }

        if (rows.OfType<ApiKey>().Count() is > 0 and var keys)
        {
            await addition.CountAsync(keys, db.ApiKeys.IgnoreQueryFilters().Where(row => row.TenantId == tenant), quotas.Keys, limit => Full(limit, "keys"), cancellationToken);
        }

        // The parts of a job's result come together with its model.
        bool hasParts = rows.OfType<ModelPart>().Any() && !rows.OfType<StoredModel>().Any();
        if (hasParts || rows.Any(row => row is UploadSession or Dataset or StoredModel { SourceJobId: null }))
        {
            await CheckBytesAsync(addition, rows.OfType<UploadSession>().Sum(upload => upload.Length), cancellationToken);
        }
    }

    /// <summary>A job adds no bytes yet, and far from the quota it does not matter how many there are exactly.</summary>
    private async Task CheckJobsAsync(Addition addition, int jobs, CancellationToken cancellationToken)
    {
        var (db, tenant, quotas) = addition;
        var unfinished = db.Jobs.IgnoreQueryFilters().Where(row => row.TenantId == tenant).Where(JobStates.Unfinished);
        int far = quotas.UnfinishedJobs - Distance - jobs;
        if (far < 0 || await MeasureAsync((tenant, typeof(Job)), far, () => unfinished.LongCountAsync(cancellationToken)) > far)
        {
            await addition.CountAsync(
                jobs,
                unfinished,
                quotas.UnfinishedJobs,
                limit => new ProblemException(
                    ProblemKind.QuotaExceeded with { Retryable = true }, $"The tenant may have {limit} unfinished jobs at once, and has them. Wait for one to end, or cancel one."),
                cancellationToken);
        }

        if (await MeasureAsync((tenant, typeof(Artifact)), quotas.StoredBytes, () => addition.StoredBytesAsync(cancellationToken)) > quotas.StoredBytes)
        {
            throw NoRoom(quotas.StoredBytes);
        }
    }

    /// <summary>Measures, unless it was done a moment ago and there was room then: nothing is refused by what is not so any more.</summary>
    private async Task<long> MeasureAsync((string Tenant, Type Of) what, long room, Func<Task<long>> measure)
    {
        if (!_recent.TryGetValue(what, out var known) || clock.GetElapsedTime(known.At) > s_recent || known.Value > room)
        {
            known = (await measure(), clock.GetTimestamp());
            _recent[what] = known;
        }

        return known.Value;
    }

    /// <summary>The artifact of a model or dataset is stored already, in the same transaction; an upload is yet to come.</summary>
    private static async Task CheckBytesAsync(Addition addition, long coming, CancellationToken cancellationToken)
    {
        await TenantLock.TakeAsync(addition.Db, addition.Tenant, cancellationToken);
        if (await addition.StoredBytesAsync(cancellationToken) + coming > addition.Quotas.StoredBytes)
        {
            throw NoRoom(addition.Quotas.StoredBytes);
        }
    }

    private static string TenantOf(object row) => row switch
    {
        ITenantOwned owned => owned.TenantId,
        ModelPart part => part.TenantId,
        _ => "",
    };

    private static ProblemException Full(string limit, string what) =>
        new(ProblemKind.QuotaExceeded, $"The tenant may have {limit} {what}, and has them. Delete one first.");

    private static ProblemException NoRoom(long limit) => new(
        ProblemKind.QuotaExceeded,
        $"The tenant may store {limit.ToString("N0", CultureInfo.InvariantCulture)} bytes, and this does not fit. Delete models or datasets first.");

    /// <summary>What a transaction adds to.</summary>
    private sealed record Addition(CondenseDbContext Db, string Tenant, Quotas Quotas)
    {
        /// <summary>Refuses rows beyond a number. Close to it, those who come at the same time wait for each other.</summary>
        public async Task CountAsync<T>(int added, IQueryable<T> rows, int limit, Func<string, ProblemException> refuse, CancellationToken cancellationToken)
        {
            long count = await rows.LongCountAsync(cancellationToken);
            if (count + added + Distance > limit)
            {
                await TenantLock.TakeAsync(Db, Tenant, cancellationToken);
                count = await rows.LongCountAsync(cancellationToken);
            }

            if (count + added > limit)
            {
                throw refuse(limit.ToString("N0", CultureInfo.InvariantCulture));
            }
        }

        /// <summary>Bytes that the tenant has, and those of uploads that are under way.</summary>
        public async Task<long> StoredBytesAsync(CancellationToken cancellationToken)
        {
            var artifacts = Db.Artifacts.IgnoreQueryFilters().Where(row => row.TenantId == Tenant);
            long stored = await artifacts.SumAsync(row => row.Bytes, cancellationToken);
            long coming = await Db.Uploads.IgnoreQueryFilters()
                .Where(row => row.TenantId == Tenant && row.ModelId == null && row.Offset >= 0 && !artifacts.Any(artifact => artifact.BlobId == row.BlobId))
                .SumAsync(row => row.Length, cancellationToken);
            return stored + coming;
        }
    }
}
