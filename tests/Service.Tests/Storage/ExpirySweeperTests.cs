using Condense.Service.Access;
using Condense.Service.Idempotency;
using Condense.Service.Jobs;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Storage;

public sealed class ExpirySweeperTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task What_has_had_its_time_goes_and_nothing_else(string database)
    {
        await using var service = await RunningService.StartAsync(["--Role=Api", .. database == "postgres" ? await RunningService.PostgresSettingsAsync() : ["--Storage:Provider=Sqlite"]]);
        using var uploaded = await service.Api.UploadAsync(SampleModels.Layers(1, 16, 16));
        string model = (string)(await ApiClient.CreatedAsync(uploaded))["id"]!;
        var now = service.Services.GetRequiredService<TimeProvider>().GetUtcNow();
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var blobs = service.Services.GetRequiredService<IBlobStore>();

        db.Add(Record("old", now - ExpirySweeper.AnswerAge - s_minute));
        db.Add(Record("young", now - ExpirySweeper.AnswerAge + s_minute));
        db.Add(Checkpoint("old", await StageAsync(blobs, 1), now - ExpirySweeper.CheckpointAge - s_minute));
        db.Add(Checkpoint("young", await StageAsync(blobs, 2), now - ExpirySweeper.CheckpointAge + s_minute));
        db.Add(NewJob("job_OVER", JobState.Succeeded));
        db.Add(NewJob("job_ON", JobState.Running));
        await db.SaveChangesAsync(Cancellation);
        db.Add(new LayerUnit { JobId = "job_OVER", Token = 1, Stage = "compressing", Layer = 0, Cost = 1 });
        db.Add(new LayerUnit { JobId = "job_ON", Token = 1, Stage = "compressing", Layer = 0, Cost = 1 });
        await db.SaveChangesAsync(Cancellation);

        // The folders of attempts that were handed on: one job has ended elsewhere, one may come back, one has an assistant here.
        var folder = service.Services.GetRequiredService<DataFolder>();
        Array.ForEach(["job_OVER", "job_ON", "job_OVER+1"], job => Directory.CreateDirectory(Path.Combine(folder.JobFolder(job), "work")));

        int removed = await service.Services.GetRequiredService<ExpirySweeper>().SweepAsync(Cancellation);

        Assert.Equal(4, removed);
        Assert.Equal(["job_ON", "job_OVER+1"], Directory.GetDirectories(folder.Jobs).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        Assert.Equal("young", (await db.IdempotencyRecords.AsNoTracking().SingleAsync(Cancellation)).Key);
        var checkpoint = await db.Checkpoints.AsNoTracking().SingleAsync(Cancellation);
        Assert.Equal("young", checkpoint.Key);
        Assert.NotNull(await ReadAsync(blobs, checkpoint.BlobId));
        Assert.Equal("job_ON", (await db.Units.AsNoTracking().SingleAsync(Cancellation)).JobId);
        using var content = await service.Api.SendAsync(HttpMethod.Get, $"/v1/models/{model}/content");
        Assert.True(content.IsSuccessStatusCode);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Bytes_that_no_row_names_go_after_a_day_and_not_before(string database)
    {
        await using var service = await RunningService.StartAsync(["--Role=Api", .. database == "postgres" ? await RunningService.PostgresSettingsAsync() : ["--Storage:Provider=Sqlite"]]);
        var now = service.Services.GetRequiredService<TimeProvider>().GetUtcNow();
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var old = now - ExpirySweeper.UnnamedAge - s_minute;
        var young = now - ExpirySweeper.UnnamedAge + s_minute;
        string[] blobs = [IdSource.First("blb_", old), IdSource.First("blb_", young), IdSource.First("blb_", old - s_minute)];
        DateTimeOffset[] times = [old, young, old];
        for (int i = 0; i < blobs.Length; i++)
        {
            if (database == "postgres")
            {
                db.Add(new ArtifactChunk { BlobId = blobs[i], Offset = 0, Data = [1] });
            }
            else
            {
                string path = Path.Combine(service.Folder, "artifacts", blobs[i][^2..], blobs[i]);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await File.WriteAllTextAsync(path, "x", Cancellation);
                File.SetLastWriteTimeUtc(path, times[i].UtcDateTime);
            }
        }

        db.Add(Checkpoint("named", blobs[2], now));
        await db.SaveChangesAsync(Cancellation);
        var sweeper = service.Services.GetRequiredService<ExpirySweeper>();
        Assert.Equal(1, await sweeper.SweepAsync(Cancellation));
        Assert.Equal(0, await sweeper.SweepAsync(Cancellation));
        string[] left = database == "postgres"
            ? await db.Chunks.Select(row => row.BlobId).ToArrayAsync(Cancellation)
            : [.. service.Files("artifacts").Select(path => Path.GetFileName(path))];
        Assert.Equal(new[] { blobs[1], blobs[2] }.Order(StringComparer.Ordinal), left.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task One_node_sweeps_at_a_time()
    {
        string[] settings = ["--Role=Api", .. await RunningService.PostgresSettingsAsync()];
        await using var first = await RunningService.StartAsync(settings);
        await using var second = await RunningService.StartAsync(settings);
        await using var scope = first.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        db.Add(Record("old", first.Services.GetRequiredService<TimeProvider>().GetUtcNow() - ExpirySweeper.AnswerAge - s_minute));
        await db.SaveChangesAsync(Cancellation);
        await using (var transaction = await db.Database.BeginTransactionAsync(Cancellation))
        {
            // The first node is in the middle of its sweep, and waits for this row.
            await db.Database.ExecuteSqlRawAsync("SELECT key FROM idempotency FOR UPDATE", Cancellation);
            var sweeping = first.Services.GetRequiredService<ExpirySweeper>().SweepAsync(Cancellation);
            long start = TimeProvider.System.GetTimestamp();
            while (!await db.Database.SqlQueryRaw<bool>("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory') AS \"Value\"").SingleAsync(Cancellation))
            {
                Assert.True(TimeProvider.System.GetElapsedTime(start) < s_patience, "The sweep takes no lock.");
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
            }

            Assert.Equal(0, await second.Services.GetRequiredService<ExpirySweeper>().SweepAsync(Cancellation));
            await transaction.RollbackAsync(Cancellation);
            Assert.Equal(1, await sweeping);
        }

        Assert.Equal(0, await second.Services.GetRequiredService<ExpirySweeper>().SweepAsync(Cancellation));
    }

    private static IdempotencyRecord Record(string key, DateTimeOffset at) =>
        new() { TenantId = Tenant.Default, Key = key, RequestSha256 = "", CreatedAt = at };

    private static Checkpoint Checkpoint(string key, string blobId, DateTimeOffset usedAt) =>
        new() { TenantId = Tenant.Default, Key = key, BlobId = blobId, Bytes = 1, UsedAt = usedAt };

    private static Job NewJob(string id, JobState state) => new()
    {
        Id = id,
        TenantId = Tenant.Default,
        ModelId = "mdl_1",
        RequestJson = "{}",
        Priority = 5,
        CreatedAt = default,
        State = state,
    };

    private static async Task<string> StageAsync(IBlobStore blobs, byte value)
    {
        await using var staged = await blobs.StageAsync(new MemoryStream([value]), 1, Cancellation);
        blobs.Keep(staged);
        return staged.BlobId;
    }

    private static async Task<byte[]?> ReadAsync(IBlobStore blobs, string blobId)
    {
        await using var stream = await blobs.OpenReadAsync(blobId, Cancellation);
        if (stream is null)
        {
            return null;
        }

        byte[] bytes = new byte[stream.Length];
        await stream.ReadExactlyAsync(bytes, Cancellation);
        return bytes;
    }
}
