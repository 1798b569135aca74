using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Idempotency;

public sealed class CrashTests
{
    private const int Rounds = 3;
    private const int Keys = 8;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_gives_one_job_however_the_process_dies_around_its_commit()
    {
        string folder = Directory.CreateTempSubdirectory("condense-keys-").FullName;
        try
        {
            string model;
            await using (var service = await ServiceProcess.StartReadyAsync(folder))
            {
                model = await service.Api.AddModelAsync(SampleModels.Layers(1, 64, 48));
                await service.TerminateAsync();
            }

            for (int round = 0; round < Rounds; round++)
            {
                string[] keys = [.. Enumerable.Range(0, Keys).Select(i => $"round-{round}-{i}")];
                var answered = new Dictionary<string, string>(StringComparer.Ordinal);
                await using (var dying = await ServiceProcess.StartReadyAsync(folder, "--Role=Api", "--Limits:IdempotencyLease=00:00:01"))
                {
                    // The first answer says that commits are going on; the others are at any place.
                    var requests = keys.Select(key => (Key: key, Sent: TryAsync(dying.Api, model, key))).ToList();
                    await Task.WhenAny(requests.Select(request => request.Sent));
                    await Task.Delay(TimeSpan.FromMilliseconds(7 * round), TimeProvider.System, Cancellation);
                    await dying.KillAsync();
                    foreach (var (key, sent) in requests)
                    {
                        if (await sent is { } id)
                        {
                            answered.Add(key, id);
                        }
                    }
                }

                await using var next = await ServiceProcess.StartReadyAsync(folder, "--Role=Api", "--Limits:IdempotencyLease=00:00:01");
                foreach (string key in keys)
                {
                    string id = await UntilAnsweredAsync(next.Api, model, key);
                    Assert.Equal(answered.GetValueOrDefault(key, id), id);
                    Assert.Equal([id], (await next.Api.GetAsync($"/v1/jobs?metadata.key={key}"))["data"]!.AsArray().Select(job => (string)job!["id"]!));
                }

                TestContext.Current.SendDiagnosticMessage($"round {round}: {answered.Count} of {Keys} answered before the end");
                await next.TerminateAsync();
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The job's id; null when the process died before its answer.</summary>
    private static async Task<string?> TryAsync(ApiClient api, string model, string key)
    {
        try
        {
            using var response = await PostAsync(api, model, key);
            return (string)(await ApiClient.CreatedAsync(response))["id"]!;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static async Task<string> UntilAnsweredAsync(ApiClient api, string model, string key)
    {
        while (true)
        {
            using var response = await PostAsync(api, model, key);
            if (response.StatusCode == HttpStatusCode.Created)
            {
                return (string)(await ApiClient.CreatedAsync(response))["id"]!;
            }

            await ApiClient.ProblemAsync(response, 409, "idempotency_in_progress");
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Cancellation);
        }
    }

    private static Task<HttpResponseMessage> PostAsync(ApiClient api, string model, string key) => api.SendAsync(
        HttpMethod.Post,
        "/v1/jobs",
        ApiClient.Json(new JsonObject { ["model"] = model, ["target"] = new JsonObject { ["ratio"] = 2 }, ["metadata"] = new JsonObject { ["key"] = key } }.ToJsonString()),
        ("Idempotency-Key", key));
}
