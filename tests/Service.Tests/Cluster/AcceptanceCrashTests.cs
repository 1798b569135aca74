using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Cluster;

public sealed class AcceptanceCrashTests(ServiceCluster cluster) : IClassFixture<ServiceCluster>
{
    private const int Clients = 8;
    private const int LatestMilliseconds = 300;

    private static int Rounds { get; } = Campaign.Rounds(20, many: 200);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_job_that_was_answered_exists_whenever_the_process_is_killed()
    {
        await using (await cluster.StartWorkerAsync())
        {
            await cluster.Api.AddModelAsync(SampleModels.Layers(1, 8, 8));
        }

        string model = (string)(await cluster.Api.GetAsync("/v1/models"))["data"]![0]!["id"]!;
        var random = new Random(11);
        var answered = new ConcurrentBag<string>();
        for (int round = 0; round < Rounds; round++)
        {
            var first = new TaskCompletionSource();
            var clients = Enumerable.Range(0, Clients).Select(_ => SubmitUntilCutAsync(model, answered, first)).ToArray();
            await first.Task.WaitAsync(Cancellation);
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(LatestMilliseconds)), TimeProvider.System, Cancellation);
            var replaced = cluster.ReplaceApiAsync();
            await Task.WhenAll(clients);
            await replaced;
        }

        Assert.Equal(answered.Count, answered.Distinct(StringComparer.Ordinal).Count());
        string list = string.Join(',', answered.Select(id => $"'{id}'"));

        // Each with its row, its first event and its trigger; and nothing is there by half, answered or not.
        Assert.Equal(answered.Count, await cluster.CountAsync($"SELECT count(*) FROM job WHERE id IN ({list})"));
        long all = await cluster.CountAsync("SELECT count(*) FROM job");
        Assert.Equal(all, await cluster.CountAsync("SELECT count(*) FROM event e JOIN job j ON j.id = e.job_id WHERE e.sequence = 1 AND e.type = 'job.queued'"));
        Assert.Equal(all, await cluster.CountAsync("SELECT count(*) FROM qrtz_triggers t JOIN job j ON t.trigger_name = j.id || '/0' WHERE t.trigger_group = 'compress'"));
        Assert.Equal(all, await cluster.CountAsync("SELECT count(*) FROM qrtz_triggers WHERE trigger_group = 'compress'"));
        Campaign.Report($"{Rounds} times kill -9 of the process that takes jobs from {Clients} clients: {answered.Count} were answered, all of them are stored; {all - answered.Count} more are stored whose answer was cut off; each whole");
    }

    private async Task SubmitUntilCutAsync(string model, ConcurrentBag<string> answered, TaskCompletionSource first)
    {
        string body = new JsonObject { ["model"] = model, ["target"] = new JsonObject { ["ratio"] = 2 } }.ToJsonString();
        var api = cluster.Api;
        while (true)
        {
            try
            {
                using var response = await api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(body));
                if (response.IsSuccessStatusCode)
                {
                    answered.Add((string)JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!["id"]!);
                    first.TrySetResult();
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
