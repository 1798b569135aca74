using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Uploads;

/// <summary>A service for tests of uploads, on one of the databases.</summary>
public abstract class UploadService : IAsyncLifetime
{
    internal const int Limit = 16 << 20;

    internal RunningService Running { get; private set; } = null!;

    internal TusClient Tus => new(Running.Api);

    public async ValueTask InitializeAsync() => Running = await RunningService.StartAsync([$"--Limits:ModelBytes={Limit}", "--Limits:ModelParts=4", .. await DatabaseAsync()]);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Running.DisposeAsync();
    }

    /// <summary>What lies somewhere and belongs to nothing: staged files, and chunks of blobs that no artifact names.</summary>
    internal Task<string[]> LeftAsync() => LeftAsync(Running);

    /// <summary>The same of any service.</summary>
    internal static async Task<string[]> LeftAsync(RunningService service)
    {
        await using var scope = service.Scope();
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var chunks = await db.Chunks.Where(chunk => !db.Artifacts.Any(artifact => artifact.BlobId == chunk.BlobId))
            .Select(chunk => chunk.BlobId + "@" + chunk.Offset)
            .ToListAsync(TestContext.Current.CancellationToken);
        return [.. service.Files("staging"), .. chunks];
    }

    private protected abstract Task<string[]> DatabaseAsync();
}

public sealed class UploadsOnSqlite : UploadService
{
    private protected override Task<string[]> DatabaseAsync() => Task.FromResult<string[]>(["--Storage:Provider=Sqlite"]);
}

public sealed class UploadsOnPostgres : UploadService
{
    private protected override Task<string[]> DatabaseAsync() => RunningService.PostgresSettingsAsync();
}
