using System.Security.Cryptography;
using Condense.Service.Access;
using Condense.Service.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Xunit;

namespace Condense.Service.Tests.Storage;

public sealed class UpgradeTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_data_folder_of_version_0_2_opens_with_its_models_and_jobs()
    {
        string folder = Directory.CreateTempSubdirectory("condense-upgrade-").FullName;
        try
        {
            byte[] bytes = SampleModels.Layers(1, 32, 24);
            string sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
            await LeaveAsVersion02Async(folder, bytes, sha256);

            await using var service = await ServiceProcess.StartReadyAsync(folder);
            var model = await service.Api.GetAsync("/v1/models/mdl_OLD");
            Assert.Equal(("ready", sha256, "as it was"), ((string?)model["state"], (string?)model["sha256"], (string?)model["name"]));
            using var content = await service.Api.SendAsync(HttpMethod.Get, "/v1/models/mdl_OLD/content");
            Assert.Equal(bytes, await content.Content.ReadAsByteArrayAsync(Cancellation));
            Assert.Equal("canceled", (string?)(await service.Api.GetAsync("/v1/jobs/job_OVER"))["state"]);
            Assert.Single((await service.Api.GetAsync("/v1/jobs/job_OVER/events"))["data"]!.AsArray());

            // What was waiting then is done now, and the same bytes are still the same artifact.
            Assert.Equal("succeeded", (string?)(await service.Api.EndAsync("job_WAITS"))["state"]);
            string again = await service.Api.AddModelAsync(bytes);
            (await service.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{again}")).EnsureSuccessStatusCode();
            Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(folder, "data", "artifacts", sha256[..2], sha256), Cancellation));
            (await service.Api.SendAsync(HttpMethod.Delete, "/v1/models/mdl_OLD")).EnsureSuccessStatusCode();
            Assert.False(File.Exists(Path.Combine(folder, "data", "artifacts", sha256[..2], sha256)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task LeaveAsVersion02Async(string folder, byte[] bytes, string sha256)
    {
        string artifact = Path.Combine(folder, "data", "artifacts", sha256[..2], sha256);
        Directory.CreateDirectory(Path.GetDirectoryName(artifact)!);
        await File.WriteAllBytesAsync(artifact, bytes, Cancellation);
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(folder, "data", "condense.db")};Pooling=False");
        await connection.OpenAsync(Cancellation);
        await using var db = new SqliteDbContext(new DbContextOptionsBuilder<SqliteDbContext>().UseSqlite(connection).Options, new Caller());
        await db.GetService<IMigrator>().MigrateAsync("Initial", Cancellation);
        long at = DateTimeOffset.UnixEpoch.AddYears(56).ToUniversalTime().Ticks / 1000 << 11;
        await db.Database.ExecuteSqlAsync($"INSERT INTO artifact (sha256, bytes, created_at) VALUES ({sha256}, {bytes.Length}, {at})", Cancellation);
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO model (id, name, format, sha256, bytes, state, parameter_count, findings_json, created_at) VALUES ('mdl_OLD', 'as it was', 'Safetensors', {sha256}, {bytes.Length}, 'Ready', 768, '[]', {at})",
            Cancellation);
        const string request = """{"model":"mdl_OLD","target":{"ratio":2}}""";
        foreach (var (id, state) in new[] { ("job_OVER", "Canceled"), ("job_WAITS", "Queued") })
        {
            await db.Database.ExecuteSqlAsync(
                $"INSERT INTO job (id, model_id, request_json, priority, created_at, state, token, version, event_count) VALUES ({id}, 'mdl_OLD', {request}, 5, {at}, {state}, 0, 1, 1)",
                Cancellation);
            await db.Database.ExecuteSqlAsync($"INSERT INTO event (job_id, sequence, id, type, at) VALUES ({id}, 1, {"evt_" + id}, 'job.queued', {at})", Cancellation);
        }
    }
}
