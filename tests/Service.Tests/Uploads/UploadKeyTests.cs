using System.Globalization;
using Npgsql;
using Xunit;

namespace Condense.Service.Tests.Uploads;

/// <summary>Idempotency keys of uploads and of models of several files.</summary>
public sealed class UploadKeyTests
{
    private const string Header = "Idempotency-Key";

    private static readonly byte[] s_model = SampleModels.Layers(1, 32, 32, seed: 6);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_creation_that_is_sent_again_is_the_same_upload()
    {
        await using var service = await RunningService.StartAsync("--Role=Api");
        var tus = new TusClient(service.Api);
        string metadata = TusClient.Metadata(("filename", "a.safetensors"));
        using var first = await tus.PostAsync("100", metadata, null, (Header, "empty"));
        using var again = await tus.PostAsync("100", metadata, null, (Header, "empty"));
        AssertReplayed(first, again);
        Assert.Equal(1, (int)(await service.Api.GetAsync("/v1/usage"))["uploads"]!);

        // A refusal is an answer, too.
        using var refused = await tus.PostAsync("many", null, null, (Header, "refused"));
        using var refusedAgain = await tus.PostAsync("many", null, null, (Header, "refused"));
        await ApiClient.ProblemAsync(refused, 400, "malformed_header");
        await ApiClient.ProblemAsync(refusedAgain, 400, "malformed_header");
        Assert.Equal(["true"], refusedAgain.Headers.GetValues("Idempotent-Replayed"));

        using var longer = await tus.PostAsync("101", metadata, null, (Header, "empty"));
        await ApiClient.ProblemAsync(longer, 422, "idempotency_key_reused");
        using var renamed = await tus.PostAsync("100", TusClient.Metadata(("filename", "b.safetensors")), null, (Header, "empty"));
        await ApiClient.ProblemAsync(renamed, 422, "idempotency_key_reused");
    }

    [Fact]
    public async Task A_creation_with_the_whole_file_makes_one_model_and_one_with_a_beginning_one_upload()
    {
        await using var service = await RunningService.StartAsync("--Role=Api");
        var tus = new TusClient(service.Api);
        string length = s_model.Length.ToString(CultureInfo.InvariantCulture);
        using var first = await tus.PostAsync(length, null, s_model, (Header, "whole"));
        using var again = await tus.PostAsync(length, null, s_model, (Header, "whole"));
        AssertReplayed(first, again);
        Assert.Equal(TusClient.Model(first), TusClient.Model(again));
        Assert.Single((await service.Api.GetAsync("/v1/models"))["data"]!.AsArray());

        using var begun = await tus.PostAsync(length, null, s_model[..50], (Header, "begun"));
        using var begunAgain = await tus.PostAsync(length, null, s_model[..50], (Header, "begun"));
        AssertReplayed(begun, begunAgain);
        Assert.Equal(1, (int)(await service.Api.GetAsync("/v1/usage"))["uploads"]!);
        using var other = await tus.PostAsync(length, null, s_model[..51], (Header, "begun"));
        await ApiClient.ProblemAsync(other, 422, "idempotency_key_reused");
    }

    [Fact]
    public async Task What_is_made_and_its_answer_commit_together()
    {
        string[] settings = await RunningService.PostgresSettingsAsync();
        await using var service = await RunningService.StartAsync(["--Role=Api", .. settings]);
        var tus = new TusClient(service.Api);
        var source = service.Services.GetRequiredService<NpgsqlDataSource>();

        // Every change of these tables is noted with the transaction that makes it.
        await using (var watch = source.CreateCommand(
            """
            CREATE TABLE seen (what text, tx xid8);
            CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (TG_TABLE_NAME, pg_current_xact_id()); RETURN NEW; END $$;
            CREATE TRIGGER see AFTER UPDATE OF status ON idempotency FOR EACH ROW WHEN (NEW.status IS NOT NULL) EXECUTE FUNCTION see();
            CREATE TRIGGER see AFTER INSERT ON upload FOR EACH ROW EXECUTE FUNCTION see();
            CREATE TRIGGER see AFTER INSERT OR UPDATE OF state ON model FOR EACH ROW EXECUTE FUNCTION see();
            CREATE TRIGGER see AFTER INSERT ON model_part FOR EACH ROW EXECUTE FUNCTION see();
            """))
        {
            await watch.ExecuteNonQueryAsync(Cancellation);
        }

        await TogetherAsync("upload", () => tus.PostAsync("100", null, null, (Header, "1")));
        await TogetherAsync("model", () => tus.PostAsync($"{s_model.Length}", null, s_model, (Header, "2")));
        string? model = null;
        using (var received = await service.Api.SendAsync(HttpMethod.Post, "/v1/models?parts=true"))
        {
            model = (string)(await ApiClient.CreatedAsync(received))["id"]!;
        }

        byte[] second = SampleModels.Layers(1, 16, 16);
        await TogetherAsync("model_part", () => tus.PostAsync($"{second.Length}", TusClient.Metadata(("model", model), ("part", "x")), second, (Header, "3")));
        (await service.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{model}/parts/x")).EnsureSuccessStatusCode();
        await TogetherAsync("model_part", () => service.Api.SendAsync(HttpMethod.Post, $"/v1/models/{model}/parts?name=w", ApiClient.Bytes(s_model), (Header, "4")));
        await TogetherAsync("model", () => service.Api.SendAsync(HttpMethod.Post, $"/v1/models/{model}/commit", null, (Header, "5")));

        async Task TogetherAsync(string table, Func<Task<HttpResponseMessage>> send)
        {
            await using (var forget = source.CreateCommand("DELETE FROM seen"))
            {
                await forget.ExecuteNonQueryAsync(Cancellation);
            }

            using var first = await send();
            using var again = await send();
            AssertReplayed(first, again);
            await using var command = source.CreateCommand("SELECT count(*), count(DISTINCT tx) FROM seen WHERE what = $1 OR what = 'idempotency'");
            command.Parameters.AddWithValue(table);
            await using var reader = await command.ExecuteReaderAsync(Cancellation);
            await reader.ReadAsync(Cancellation);
            Assert.Equal((2, 1), (reader.GetInt64(0), reader.GetInt64(1)));
        }
    }

    [Fact]
    public async Task Every_answer_of_an_upload_says_which_version_is_spoken()
    {
        await using var service = await Access.KeyedService.StartKeyedAsync("--Access:WritesPerMinute=3");
        using var nobody = await service.Api.SendAsync(HttpMethod.Head, "/v1/uploads/upl_X", null, ("Tus-Resumable", "1.0.0"));
        using var reader = service.With(await service.MakeAsync("default", null, Condense.Service.Access.Scope.ModelsRead));
        using var weak = await new TusClient(reader).PostAsync("10");
        Assert.Equal((401, 403), ((int)nobody.StatusCode, (int)weak.StatusCode));
        AssertSpoken(nobody);
        AssertSpoken(weak);
        using var hasty = service.With(Access.KeyedService.FirstKey);
        var tus = new TusClient(hasty);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => tus.PostAsync("10")));
        Assert.Contains(answers, answer => (int)answer.StatusCode == 429);
        Assert.All(answers, AssertSpoken);
        Array.ForEach(answers, answer => answer.Dispose());
    }

    private static void AssertReplayed(HttpResponseMessage first, HttpResponseMessage again)
    {
        Assert.Equal(first.StatusCode, again.StatusCode);
        Assert.True(first.IsSuccessStatusCode);
        Assert.False(first.Headers.Contains("Idempotent-Replayed"));
        Assert.Equal(["true"], again.Headers.GetValues("Idempotent-Replayed"));
        Assert.NotNull(first.Headers.Location);
        Assert.Equal(first.Headers.Location, again.Headers.Location);
        foreach (string name in new[] { "Tus-Resumable", "Upload-Expires", "Upload-Offset" })
        {
            Assert.Equal(first.Headers.TryGetValues(name, out var one) ? one : [], again.Headers.TryGetValues(name, out var other) ? other : []);
        }
    }

    private static void AssertSpoken(HttpResponseMessage response) => Assert.Equal(["1.0.0"], response.Headers.GetValues("Tus-Resumable"));
}
