using Condense.Service.Library;
using Condense.Service.Storage;
using Condense.Service.Uploads;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Condense.Service.Tests.Uploads;

/// <summary>How an upload ends: as a model, refused for now, refused for good, or given up. On both databases.</summary>
public abstract class UploadEndTests(UploadService service)
{
    private static readonly byte[] s_model = SampleModels.Layers(1, 32, 32, seed: 6);

    private RunningService Running => service.Running;

    private TusClient Tus => service.Tus;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_last_bytes_sent_again_wait_for_the_model_that_is_made_of_the_first()
    {
        string upload = await Tus.CreateAsync(s_model.Length);
        (await Tus.PatchAsync(upload, 0, s_model[..1000])).Dispose();

        int models = (await ModelsAsync()).Count;

        // As many models are opened as may be at once: whoever makes one waits.
        var places = Running.Services.GetRequiredService<ModelOpener>().Places;
        int taken = 0;
        for (; await places.WaitAsync(TimeSpan.Zero, Cancellation); taken++)
        {
        }

        var first = Tus.PatchAsync(upload, 1000, s_model[1000..]);
        long held = await UntilAsync(upload, row => row.FinishingUntil > 0, row => row.FinishingUntil);
        int token = await UntilAsync(upload, _ => true, row => row.Token);
        var again = Tus.PatchAsync(upload, 1000, s_model[1000..]);

        // It says that it still works; the second one has not disturbed it.
        await UntilAsync(upload, row => row.FinishingUntil > held, row => row.FinishingUntil);
        Assert.Equal((token, false, false), (await UntilAsync(upload, _ => true, row => row.Token), first.IsCompleted, again.IsCompleted));
        Assert.Equal(1000, await Tus.OffsetAsync(upload));
        places.Release(taken);

        using var made = await first;
        using var told = await again;
        Assert.Equal((204, 204), ((int)made.StatusCode, (int)told.StatusCode));
        Assert.Equal(TusClient.Model(made), TusClient.Model(told));
        Assert.Equal(s_model.Length, TusClient.Offset(told));
        Assert.Single(await ModelsAsync(), model => (string?)model!["id"] == TusClient.Model(made));
        Assert.Equal(models + 1, (await ModelsAsync()).Count);
    }

    [Fact]
    public async Task Nobody_waits_for_ever_for_a_request_that_died_over_the_model()
    {
        string upload = await Tus.CreateAsync(s_model.Length);
        (await Tus.PatchAsync(upload, 0, s_model[..1000])).Dispose();
        await using (var scope = Running.Scope())
        {
            await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Uploads.Where(row => upload.EndsWith(row.Id)).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.FinishingUntil, _ => DatabaseClock.Milliseconds() + 700), Cancellation);
        }

        using var last = await Tus.PatchAsync(upload, 1000, s_model[1000..]);
        Assert.Equal(204, (int)last.StatusCode);
        Assert.NotNull(TusClient.Model(last));
    }

    [Fact]
    public async Task A_part_that_its_model_does_not_take_any_more_is_given_up()
    {
        using var received = await Running.Api.SendAsync(HttpMethod.Post, "/v1/models?parts=true");
        string model = (string)(await ApiClient.CreatedAsync(received))["id"]!;
        string upload = await Tus.CreateAsync(10, TusClient.Metadata(("model", model), ("part", "w.bin")));
        (await Running.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{model}")).EnsureSuccessStatusCode();
        using var refused = await Tus.PatchAsync(upload, 0, new byte[10]);
        await ApiClient.ProblemAsync(refused, 404, "not_found");
        using var gone = await Tus.HeadAsync(upload);
        Assert.Equal(404, (int)gone.StatusCode);
        Assert.Empty(await service.LeftAsync());
    }

    [Fact]
    public async Task A_beginning_that_fails_leaves_no_upload_that_nobody_can_name()
    {
        using (var damaged = await Tus.PostAsync($"{s_model.Length}", null, s_model[..100], ("Upload-Checksum", $"sha256 {Convert.ToBase64String(new byte[32])}")))
        {
            await ApiClient.ProblemAsync(damaged, 460, "checksum_mismatch");
        }

        // Without a length of its own the body is found to be too long while it comes.
        using (var tooLong = await Tus.PostAsync("99", null, s_model[..100], ("Transfer-Encoding", "chunked")))
        {
            await ApiClient.ProblemAsync(tooLong, 413, "payload_too_large");
        }

        using (var cut = await TusClient.OpenAsync(Running.Address, $"POST /v1/uploads HTTP/1.1\r\nUpload-Length: {s_model.Length}\r\n", s_model.Length, s_model.AsMemory(0, 500)))
        {
            await UntilAsync(async () => (int)(await Running.Api.GetAsync("/v1/usage"))["uploads"]! == 1);
        }

        await UntilAsync(async () => (int)(await Running.Api.GetAsync("/v1/usage"))["uploads"]! == 0 && (await service.LeftAsync()).Length == 0);

        // What has come whole, or as far as the client sent it, stays.
        using var begun = await Tus.PostAsync($"{s_model.Length}", null, s_model[..100]);
        Assert.Equal(100, await Tus.OffsetAsync(begun.Headers.Location!.ToString()));
        (await Tus.DeleteAsync(begun.Headers.Location!.ToString())).Dispose();
    }

    [Fact]
    public async Task The_bytes_of_a_model_go_with_it_however_they_came()
    {
        byte[] bytes = SampleModels.Layers(1, 32, 32, seed: 61);
        using var made = await Tus.PostAsync($"{bytes.Length}", null, bytes);
        string upload = made.Headers.Location!.ToString();
        await Running.Api.UntilAsync($"/v1/models/{TusClient.Model(made)}", model => (string?)model["state"] == "ready");
        Assert.Equal(1, await Running.CopiesAsync(bytes));
        (await Running.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{TusClient.Model(made)}")).EnsureSuccessStatusCode();
        Assert.Equal(0, await Running.CopiesAsync(bytes));
        using var forgotten = await Tus.HeadAsync(upload);
        Assert.Equal(404, (int)forgotten.StatusCode);

        // A part that is replaced has no model that could take the upload with it.
        using var received = await Running.Api.SendAsync(HttpMethod.Post, "/v1/models?parts=true");
        string model = (string)(await ApiClient.CreatedAsync(received))["id"]!;
        using var part = await Tus.PostAsync($"{bytes.Length}", TusClient.Metadata(("model", model), ("part", "a")), bytes);
        Assert.Equal((model, 1), (TusClient.Model(part), await Running.CopiesAsync(bytes)));
        (await Running.Api.SendAsync(HttpMethod.Post, $"/v1/models/{model}/parts?name=a", ApiClient.Bytes([1]))).EnsureSuccessStatusCode();
        Assert.Equal(0, await Running.CopiesAsync(bytes));
    }

    [Fact]
    public async Task An_expired_upload_can_be_taken_away()
    {
        foreach (bool swept in new[] { false, true })
        {
            string upload = await Tus.CreateAsync(100);
            (await Tus.PatchAsync(upload, 0, new byte[10])).Dispose();
            await using var scope = Running.Scope();
            await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Uploads.Where(row => upload.EndsWith(row.Id)).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.ExpiresAt, TimeProvider.System.GetUtcNow().AddMinutes(-1)), Cancellation);
            if (swept)
            {
                await scope.ServiceProvider.GetRequiredService<ExpiredUploads>().RemoveAsync(Cancellation);
                await UntilAsync(upload, row => row.Offset == UploadSession.BytesGone, row => row.Id);
            }

            using var head = await Tus.HeadAsync(upload);
            Assert.Equal(410, (int)head.StatusCode);
            using var deleted = await Tus.DeleteAsync(upload);
            Assert.Equal(204, (int)deleted.StatusCode);
            using var gone = await Tus.HeadAsync(upload);
            Assert.Equal(404, (int)gone.StatusCode);
            Assert.Empty(await service.LeftAsync());
        }
    }

    private async Task<System.Text.Json.Nodes.JsonArray> ModelsAsync() => (await Running.Api.GetAsync("/v1/models?limit=100"))["data"]!.AsArray();

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(90), "it does not come so far");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }
    }

    /// <summary>Waits until an upload is as wanted; something of it.</summary>
    private async Task<T> UntilAsync<T>(string upload, Func<UploadSession, bool> condition, Func<UploadSession, T> select)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await using var scope = Running.Scope();
            var row = await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Uploads.AsNoTracking().SingleOrDefaultAsync(found => upload.EndsWith(found.Id), Cancellation);
            if (row is not null && condition(row))
            {
                return select(row);
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(90), $"the upload stays {row?.Offset} until {row?.FinishingUntil}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }
    }
}

public sealed class UploadEndsOnSqliteTests(UploadsOnSqlite service) : UploadEndTests(service), IClassFixture<UploadsOnSqlite>;

public sealed class UploadEndsOnPostgresTests(UploadsOnPostgres service) : UploadEndTests(service), IClassFixture<UploadsOnPostgres>;
