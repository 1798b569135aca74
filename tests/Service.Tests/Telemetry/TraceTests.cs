using System.Text.Json.Nodes;
using Xunit;

namespace Condense.Service.Tests.Telemetry;

public sealed class TraceTests : IDisposable
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Caller = "00f067aa0ba902b7";

    private readonly string _folder = Directory.CreateTempSubdirectory("condense-trace-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task One_trace_leads_from_the_request_at_one_process_to_the_result_at_another()
    {
        await using var collector = await TraceCollector.StartAsync();
        string[] settings =
        [
            .. await RunningService.PostgresSettingsAsync(), .. collector.Settings,
            "--Webhooks:AllowHttp=true", $"--Webhooks:Ports:0={collector.Address.Port}", "--Webhooks:AllowedNetworks:0=127.0.0.0/8",
        ];
        await using var api = await ServiceProcess.StartReadyAsync(Directory.CreateDirectory(Path.Combine(_folder, "api")).FullName, ["--Role=Api", .. settings]);
        await using var worker = await ServiceProcess.StartReadyAsync(Directory.CreateDirectory(Path.Combine(_folder, "worker")).FullName, ["--Role=Worker", .. settings]);
        string model = await api.Api.AddModelAsync(SampleModels.Layers(2, 64, 48));
        string job = await AddJobAsync(api.Api, model, new JsonObject { ["url"] = $"{collector.Address}hook", ["events"] = new JsonArray("job.succeeded") });
        Assert.Equal("succeeded", (string?)(await api.Api.EndAsync(job))["state"]);

        string[] stages = ["loading", "analysing", "planning", "compressing", "packaging", "verifying"];
        var spans = await collector.UntilAsync(Trace, ["POST /v1/jobs", "accept", "attempt", "publish", "deliver", .. stages]);
        CollectedSpan Span(string name) => Assert.Single(spans, span => span.Name == name);
        Assert.Equal(("api", Caller), (Span("POST /v1/jobs").Role, Span("POST /v1/jobs").Parent));
        Assert.Equal(("api", Span("POST /v1/jobs").Id), (Span("accept").Role, Span("accept").Parent));
        Assert.Equal(("worker", Span("accept").Id), (Span("attempt").Role, Span("attempt").Parent));
        Assert.All([.. stages, "publish"], name => Assert.Equal(("worker", Span("attempt").Id), (Span(name).Role, Span(name).Parent)));

        // The receiver of the webhook is told the span that calls it, and may go on with the trace.
        Assert.Equal(("worker", Span("accept").Id), (Span("deliver").Role, Span("deliver").Parent));
        Assert.Equal($"00-{Trace}-{Span("deliver").Id}-01", Assert.Single(collector.Webhooks));

        // Probes, which are asked for every few seconds, would bury the rest; names are routes, never addresses with ids.
        string[] known = ["accept", "attempt", "publish", "deliver", .. stages];
        Assert.All(collector.Spans, span => Assert.True(known.Contains(span.Name) || span.Name.Contains(" /v1/", StringComparison.Ordinal), span.Name));
        Assert.DoesNotContain(collector.Spans, span => span.Name.Contains(job, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_collector_a_job_still_keeps_the_trace_of_its_request()
    {
        await using var service = await RunningService.StartAsync();
        string model = await service.Api.AddModelAsync(SampleModels.Layers(1, 64, 48));
        string job = await AddJobAsync(service.Api, model);
        await using var scope = service.Scope();
        var row = await scope.ServiceProvider.GetRequiredService<Condense.Service.Storage.CondenseDbContext>().Jobs.FindAsync([job], TestContext.Current.CancellationToken);
        Assert.StartsWith($"00-{Trace}-", row!.TraceParent, StringComparison.Ordinal);
        Assert.Equal("succeeded", (string?)(await service.Api.EndAsync(job))["state"]);
    }

    private static async Task<string> AddJobAsync(ApiClient api, string model, JsonObject? webhook = null)
    {
        var document = new JsonObject { ["model"] = model, ["target"] = new JsonObject { ["ratio"] = 2 } };
        if (webhook is not null)
        {
            document["webhook"] = webhook;
        }

        string json = document.ToJsonString();
        using var response = await api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(json), ("traceparent", $"00-{Trace}-{Caller}-01"));
        return (string)(await ApiClient.CreatedAsync(response))["id"]!;
    }
}
