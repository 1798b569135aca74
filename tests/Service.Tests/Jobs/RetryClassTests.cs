using System.Reflection;
using Condense.Service.Access;
using Condense.Service.Jobs;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Jobs;

/// <summary>Which errors of an attempt are worth another one.</summary>
public sealed class RetryClassTests(JobLedgerTests.WithoutWorker service) : IClassFixture<JobLedgerTests.WithoutWorker>
{
    /// <summary>Ours: the same job may succeed the next time. Every other code is the user's, and final.</summary>
    private static readonly string[] s_triedAgain =
        ["internal", "out_of_memory", "database_unavailable", "overloaded", "draining", "storage_full", "verification_failed", "evaluation_failed"];

    /// <summary>Ours, and already the end of all attempts.</summary>
    private static readonly string[] s_final = ["worker_crashed_repeatedly"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Codes => [.. Kinds().Select(kind => kind.Code).Distinct(StringComparer.Ordinal).Except(s_final, StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task Our_faults_are_tried_again_after_a_wait_that_doubles_and_the_user_s_are_not(string code)
    {
        var fault = new Fault(Kinds().First(kind => kind.Code == code), "because", []);
        bool again = s_triedAgain.Contains(code, StringComparer.Ordinal);
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var ledger = scope.ServiceProvider.GetRequiredService<JobLedger>();
        string id = $"job_{code}";
        await ledger.AcceptAsync(
            new Job { Id = id, TenantId = Tenant.Default, ModelId = "mdl_1", RequestJson = """{"model":"mdl_1"}""", Priority = 5, CreatedAt = TimeProvider.System.GetUtcNow() },
            _ => Task.CompletedTask,
            Cancellation);

        for (int attempt = 1; attempt <= (again ? JobLedger.MaxAttempts : 1); attempt++)
        {
            var claim = (await ledger.ClaimAsync(id, "w", Cancellation))!;
            long before = await NowAsync(db);
            Assert.True(await ledger.FailAsync(claim, fault, TimeSpan.FromMinutes(1)));
            var row = await db.Jobs.AsNoTracking().SingleAsync(job => job.Id == id, Cancellation);
            Assert.Contains($"\"code\":\"{code}\"", row.ErrorJson, StringComparison.Ordinal);
            Assert.Equal(again && attempt < JobLedger.MaxAttempts ? JobState.Queued : JobState.Failed, row.State);
            if (row.State == JobState.Queued)
            {
                Assert.InRange(row.LeaseUntil, before + (attempt * 60_000), await NowAsync(db) + (attempt * 60_000));
                Assert.Null(await ledger.ClaimAsync(id, "w", Cancellation));
                await db.Jobs.Where(job => job.Id == id).ExecuteUpdateAsync(set => set.SetProperty(job => job.LeaseUntil, JobLedger.Lapsed), Cancellation);
            }
        }

        string?[] ends = await db.Attempts.Where(row => row.JobId == id).OrderBy(row => row.Number).Select(row => row.EndReason).ToArrayAsync(Cancellation);
        Assert.Equal(Enumerable.Repeat(code, again ? JobLedger.MaxAttempts : 1), ends);
    }

    private static IEnumerable<ProblemKind> Kinds() =>
        typeof(ProblemKind).GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.FieldType == typeof(ProblemKind)).Select(field => (ProblemKind)field.GetValue(null)!);

    private static Task<long> NowAsync(CondenseDbContext db) => db.Tenants.Select(_ => DatabaseClock.Milliseconds()).FirstAsync(Cancellation);
}
