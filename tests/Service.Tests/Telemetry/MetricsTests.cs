using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using Condense.Service.Access;
using Condense.Service.Jobs;
using Condense.Service.Storage;
using Condense.Service.Telemetry;
using Xunit;

namespace Condense.Service.Tests.Telemetry;

public sealed class MetricsTests(RunningService service) : IClassFixture<RunningService>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_has_every_documented_metric_and_the_basics_of_the_process()
    {
        await service.Api.GetAsync("/v1/methods");
        await RunJobAsync();
        var page = await PrometheusPage.ReadAsync(service.Api);
        string[] expected =
        [
            "condense_jobs_total", "condense_job_duration_seconds", "condense_queue_depth", "condense_queue_oldest_age_seconds", "condense_job_attempts_total",
            "condense_bytes_in_total", "condense_bytes_out_total", "condense_webhook_deliveries_total", "condense_storage_free_bytes", "condense_jobs_running",
            "condense_database_up", "http_server_request_duration_seconds", "dotnet_process_cpu_time_seconds_total", "dotnet_process_memory_working_set_bytes",
        ];
        Assert.Empty(expected.Except(page.Metrics));
        Assert.Equal(1, page["condense_database_up"]);
        Assert.True(page["condense_storage_free_bytes"] > 0);
        Assert.True(page["http_server_request_duration_seconds_count{http_request_method=\"GET\",http_response_status_code=\"200\",http_route=\"/v1/methods\"}"] >= 1);
    }

    [Fact]
    public async Task A_job_moves_the_counters_by_what_it_did()
    {
        await using var own = await RunningService.StartAsync();
        var before = await PrometheusPage.ReadAsync(own.Api);
        byte[] model = SampleModels.Layers(2, 64, 48);
        string id = await own.Api.AddModelAsync(model);
        var first = await own.Api.EndAsync(await own.Api.AddJobAsync(Job(id, "quantize")));
        Assert.Equal("succeeded", (string?)first["state"]);
        double sent = (await PrometheusPage.ReadAsync(own.Api)).Sum("condense_bytes_out_total");
        using var content = await own.Api.Http.GetAsync(new Uri($"/v1/models/{id}/content", UriKind.Relative), Cancellation);
        Assert.Equal(model.Length, (await content.Content.ReadAsByteArrayAsync(Cancellation)).Length);

        var after = await PrometheusPage.ReadAsync(own.Api);
        Assert.Equal(1, after["condense_jobs_total{method=\"quantize\",outcome=\"metTarget\"}"]);
        Assert.Equal(1, after.Sum("condense_jobs_total"));
        Assert.Equal(1, after["condense_job_attempts_total{reason=\"succeeded\"}"]);
        foreach (string stage in new[] { "loading", "analysing", "planning", "compressing", "packaging", "verifying" })
        {
            Assert.Equal(1, after[$"condense_job_duration_seconds_count{{stage=\"{stage}\"}}"]);
        }

        Assert.InRange(after.Sum("condense_bytes_in_total") - before.Sum("condense_bytes_in_total"), model.Length, model.Length + 4096);
        long start = TimeProvider.System.GetTimestamp();
        while (after.Sum("condense_bytes_out_total") - sent != model.Length)
        {
            // The client may have the last bytes before the server has counted them.
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60), $"{after.Sum("condense_bytes_out_total") - sent} bytes are counted.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Cancellation);
            after = await PrometheusPage.ReadAsync(own.Api);
        }
    }

    [Fact]
    public async Task A_client_makes_no_labels()
    {
        const string evil = "e\"v}i\\l";
        var before = await PrometheusPage.ReadAsync(service.Api);
        byte[] model = SampleModels.Named("evil\nlayer", "evil\"quote");
        using (var upload = await service.Api.UploadAsync(model, $"?name={Uri.EscapeDataString(evil)}"))
        {
            string id = (string)(await ApiClient.CreatedAsync(upload))["id"]!;
            await service.Api.UntilAsync($"/v1/models/{id}", document => (string?)document["state"] == "ready");
            using var refused = await service.Api.SendAsync(HttpMethod.Post, "/v1/jobs", ApiClient.Json(Job(id, evil)));
            await ApiClient.ProblemAsync(refused, 422, "invalid_field");
            await service.Api.EndAsync(await service.Api.AddJobAsync(Job(id, "quantize")));
        }

        foreach (string method in new[] { "EVIL", "EVIL2", "EVIL3" })
        {
            using var odd = await service.Api.SendAsync(new HttpMethod(method), $"/v1/models/{Uri.EscapeDataString(evil)}");
            Assert.Equal(405, (int)odd.StatusCode);
        }

        for (int i = 0; i < 20; i++)
        {
            using var missing = await service.Api.SendAsync(HttpMethod.Get, $"/v1/evil{i}");
            Assert.Equal(404, (int)missing.StatusCode);
        }

        var after = await PrometheusPage.ReadAsync(service.Api);
        Assert.DoesNotContain(after.Series, series => series.Contains("evil", StringComparison.OrdinalIgnoreCase) || series.Contains("_01", StringComparison.Ordinal));
        string[] counted = [.. after.Series.Except(before.Series).Where(series => series.StartsWith("http_server_request_duration_seconds_count", StringComparison.Ordinal))];
        Assert.True(counted.Length < 20, string.Join('\n', counted));
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task Jobs_that_wait_are_counted_from_the_oldest_whoever_owns_them(string database)
    {
        string[] settings = database == "postgres" ? await RunningService.PostgresSettingsAsync() : ["--Storage:Provider=Sqlite"];
        await using var own = await RunningService.StartAsync(["--Role=Api", .. settings]);
        await AddWaitingJobAsync(own, TimeSpan.FromMinutes(10), "first");
        await AddWaitingJobAsync(own, TimeSpan.FromMinutes(3), "second");
        var page = await PrometheusPage.ReadAsync(own.Api);
        Assert.Equal(2, page["condense_queue_depth"]);
        Assert.Equal(0, page["condense_jobs_running"]);
        Assert.InRange(page["condense_queue_oldest_age_seconds"]!.Value, 600, 900);
    }

    [Fact]
    public async Task Without_a_database_the_page_says_so_and_shows_no_queue_on_any_role()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var worker = await RunningService.StartAsync("--Role=Worker", "--Storage:Provider=Postgres", $"--Storage:ConnectionString={await server.CreateDatabaseAsync()}");
        var page = await PrometheusPage.ReadAsync(worker.Api);
        Assert.Equal((1, 0), (page["condense_database_up"], page["condense_queue_depth"]));

        await server.HaltAsync();
        long start = TimeProvider.System.GetTimestamp();
        do
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(90), "The page does not notice.");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Cancellation);
            page = await PrometheusPage.ReadAsync(worker.Api);
        }
        while (page["condense_database_up"] != 0);
        Assert.Null(page["condense_queue_depth"]);
        Assert.Null(page["condense_queue_oldest_age_seconds"]);
        Assert.NotNull(page["condense_storage_free_bytes"]);
        await server.ContinueAsync();
    }

    [Fact]
    public void Labels_and_help_are_escaped()
    {
        using var meter = new Meter("test");
        var family = new MetricFamily(meter.CreateCounter<long>("odd.name", "By", "Two\nlines and a \\"));
        family.Measure(2, [new("reason", "a\"b\\c\nd"), new("secret", "unseen")]);
        var text = new PrometheusText();
        family.Write(text);
        Assert.Equal(
            "# HELP odd_name_bytes_total Two\\nlines and a \\\\\n# TYPE odd_name_bytes_total counter\nodd_name_bytes_total{reason=\"a\\\"b\\\\c\\nd\"} 2\n", text.ToString());
        PrometheusPage.Parse(text.ToString());
    }

    [Fact]
    public void A_histogram_counts_a_value_on_a_bound_in_its_bucket_and_in_all_above()
    {
        using var meter = new Meter("test");
        var family = new MetricFamily(meter.CreateHistogram("h", "s", "H.", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 2] }));
        foreach (double value in new[] { 1, 1.5, 2.5 })
        {
            family.Measure(value, []);
        }

        var text = new PrometheusText();
        family.Write(text);
        var page = PrometheusPage.Parse(text.ToString());
        Assert.Equal((1, 2, 3), (page["h_seconds_bucket{le=\"1\"}"], page["h_seconds_bucket{le=\"2\"}"], page["h_seconds_bucket{le=\"+Inf\"}"]));
        Assert.Equal((5, 3), (page["h_seconds_sum"], page["h_seconds_count"]));
    }

    [Fact]
    public void Series_beyond_the_bound_are_counted_without_labels()
    {
        using var meter = new Meter("test");
        var family = new MetricFamily(meter.CreateCounter<long>("many"));
        for (int i = 0; i < 5000; i++)
        {
            family.Measure(1, [new("reason", i)]);
        }

        var text = new PrometheusText();
        family.Write(text);
        var page = PrometheusPage.Parse(text.ToString());
        Assert.Equal(2001, page.Series.Count);
        Assert.Equal(3000, page["many_total"]);
    }

    [Fact]
    public void Words_that_are_not_ours_are_counted_as_other()
    {
        var metrics = service.Services.GetRequiredService<ServiceMetrics>();
        metrics.JobEnded("<script>", "x");
        metrics.AttemptEnded("mdl_01");
        metrics.DeliveryEnded("whatever");
        metrics.StageTook("layer 3", 1);
        var page = PrometheusPage.Parse(service.Services.GetRequiredService<MetricsReader>().Write());
        Assert.Equal(1, page["condense_jobs_total{method=\"other\",outcome=\"other\"}"]);
        Assert.Equal(1, page["condense_job_attempts_total{reason=\"other\"}"]);
        Assert.Equal(1, page["condense_webhook_deliveries_total{outcome=\"other\"}"]);
        Assert.Equal(1, page["condense_job_duration_seconds_count{stage=\"other\"}"]);
    }

    [Theory]
    [InlineData("""{"model":"m"}""", "any")]
    [InlineData("""{"model":"m","methods":["quantize"]}""", "quantize")]
    [InlineData("""{"model":"m","methods":["quantize","low-rank"]}""", "several")]
    [InlineData("""{"model":"m","methods":[],"layers":[{"match":"*","method":"low-rank"}]}""", "low-rank")]
    [InlineData("""{"model":"m","methods":["quantize"],"layers":[{"match":"*","method":"low-rank"}]}""", "several")]
    public void A_job_has_one_word_for_its_methods(string request, string expected) => Assert.Equal(expected, MethodsOfJob.Of(request));

    private static string Job(string model, string method) =>
        new JsonObject { ["model"] = model, ["target"] = new JsonObject { ["ratio"] = 2 }, ["methods"] = new JsonArray(method) }.ToJsonString();

    private async Task RunJobAsync()
    {
        string id = await service.Api.AddModelAsync(SampleModels.Layers(1, 64, 48));
        Assert.Equal("succeeded", (string?)(await service.Api.EndAsync(await service.Api.AddJobAsync(Job(id, "quantize"))))["state"]);
    }

    /// <summary>A row of a tenant of its own, without a trigger: nobody runs it.</summary>
    private static async Task AddWaitingJobAsync(RunningService service, TimeSpan age, string tenant)
    {
        await using var scope = service.Scope(tenant);
        var db = scope.ServiceProvider.GetRequiredService<CondenseDbContext>();
        var clock = scope.ServiceProvider.GetRequiredService<TimeProvider>();
        db.Add(new Tenant { Id = tenant, CreatedAt = clock.GetUtcNow() });
        db.Add(new Job
        {
            // The ids of jobs begin with their time: "first" before "second".
            Id = $"job_{tenant}",
            TenantId = tenant,
            ModelId = $"mdl_{tenant}",
            RequestJson = "{}",
            Priority = 5,
            CreatedAt = clock.GetUtcNow() - age,
        });
        await db.SaveChangesAsync(Cancellation);
    }
}
