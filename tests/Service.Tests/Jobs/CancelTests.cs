using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Jobs;

public sealed class CancelTests(RunningService service) : IClassFixture<RunningService>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_running_job_stops_and_one_behind_it_is_canceled_at_once_and_their_model_is_kept_meanwhile()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(60, 256, 256));
        string running = await service.Api.AddJobAsync(model, 3);
        await service.Api.UntilAsync($"/v1/jobs/{running}", job => (string?)job["state"] == "running");
        string waiting = await service.Api.AddJobAsync(model, 3);

        using var inUse = await service.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{model}");
        await ApiClient.ProblemAsync(inUse, 409, "resource_in_use");
        using var early = await service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs/{waiting}/report");
        await ApiClient.ProblemAsync(early, 404, "not_found");

        using var atOnce = await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{waiting}/cancel");
        Assert.Equal(HttpStatusCode.OK, atOnce.StatusCode);
        Assert.Equal("canceled", (string?)JsonNode.Parse(await atOnce.Content.ReadAsStringAsync(Cancellation))!["state"]);
        using var again = await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{waiting}/cancel");
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);

        using var soon = await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{running}/cancel");
        Assert.Contains(soon.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.Accepted });
        var canceled = await service.Api.EndAsync(running);
        Assert.Equal("canceled", (string?)canceled["state"]);
        Assert.Equal("canceled", (string?)canceled["attempts"]!.AsArray().Single()!["endReason"]);
        Assert.Null(canceled["result"]);
        var types = (await service.Api.GetAsync($"/v1/jobs/{running}/events"))["data"]!.AsArray().Select(item => (string)item!["type"]!).ToArray();
        Assert.Equal(["job.canceling", "job.canceled"], types[^2..]);

        // Nothing of it remains but its row.
        while (Directory.Exists(service.Services.GetRequiredService<DataFolder>().JobFolder(running)))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancellation);
        }

        Assert.Single((await service.Api.GetAsync("/v1/models"))["data"]!.AsArray());
        (await service.Api.SendAsync(HttpMethod.Delete, $"/v1/models/{model}")).EnsureSuccessStatusCode();
        await using var scope = service.Scope();
        Assert.Empty(await scope.ServiceProvider.GetRequiredService<CondenseDbContext>().Artifacts.ToListAsync(Cancellation));
        Assert.Empty(service.Files("artifacts"));
    }

    [Fact]
    public async Task A_canceled_job_never_succeeds_whenever_it_is_canceled()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(2, 64, 64));
        var random = new Random(5);
        for (int i = 0; i < 20; i++)
        {
            string id = await service.Api.AddJobAsync(model, 2);
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(200)), TimeProvider.System, Cancellation);
            using var response = await service.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{id}/cancel");
            string ended = (string)(await service.Api.EndAsync(id))["state"]!;
            Assert.Equal(response.IsSuccessStatusCode ? "canceled" : "succeeded", ended);
        }
    }
}
