using Condense.Service.Access;
using System.IO.Pipelines;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json.Nodes;
using Condense.Service.Jobs;
using Condense.Service.Storage;
using Xunit;

namespace Condense.Service.Tests.Jobs;

public sealed class EventStreamTests(RunningService service) : IClassFixture<RunningService>
{
    private const int Clients = 4;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Streams_that_are_cut_anywhere_and_taken_up_again_are_together_the_list()
    {
        string model = await service.Api.AddModelAsync(SampleModels.Layers(16, 160, 160));
        string id = await service.Api.AddJobAsync(model, 4);
        var streams = await Task.WhenAll(Enumerable.Range(0, Clients).Select(seed => FollowAsync(id, new Random(seed))));
        var list = (await service.Api.GetAsync($"/v1/jobs/{id}/events"))["data"]!.AsArray();
        Assert.Equal("job.succeeded", (string?)list[^1]!["type"]);
        Assert.Equal(Enumerable.Range(1, list.Count), list.Select(item => (int)item!["sequence"]!));
        foreach (var stream in streams)
        {
            Assert.Equal(list.Select(item => $"{item!["sequence"]}"), stream.Select(item => item.EventId));
            Assert.Equal(list.Select(item => (string)item!["type"]!), stream.Select(item => item.EventType));
            Assert.Equal(list.Select(item => item!.ToJsonString()), stream.Select(item => JsonNode.Parse(item.Data)!.ToJsonString()));
        }
    }

    [Fact]
    public async Task A_finished_job_s_stream_ends_and_a_client_that_has_all_is_sent_home()
    {
        string id = await service.Api.AddJobAsync(await service.Api.AddModelAsync(SampleModels.Layers(1, 64, 48)), 2);
        await service.Api.EndAsync(id);
        using var all = await OpenAsync(id);
        Assert.Equal("text/event-stream", all.Content.Headers.ContentType?.MediaType);
        Assert.True(all.Headers.CacheControl?.NoStore);
        Assert.Contains("Accept", all.Headers.Vary);
        var events = SseParser.Create(await all.Content.ReadAsStreamAsync(Cancellation)).Enumerate().ToList();
        Assert.Equal("job.succeeded", events[^1].EventType);

        using var rest = await OpenAsync(id, "1");
        Assert.Equal(events.Skip(1).Select(item => item.EventId), SseParser.Create(await rest.Content.ReadAsStreamAsync(Cancellation)).Enumerate().Select(item => item.EventId));
        using var later = await OpenAsync(id, lastEventId: null, query: "?after=2");
        Assert.Equal("3", SseParser.Create(await later.Content.ReadAsStreamAsync(Cancellation)).Enumerate().First().EventId);
        using var nothing = await OpenAsync(id, events[^1].EventId);
        Assert.Equal(HttpStatusCode.NoContent, nothing.StatusCode);
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("99999999999")]
    [InlineData("99")]
    public async Task An_id_that_no_stream_has_given_out_is_refused(string lastEventId)
    {
        string id = await service.Api.AddJobAsync(await service.Api.AddModelAsync(SampleModels.Vector()), 2);
        using var response = await OpenAsync(id, lastEventId);
        await ApiClient.ProblemAsync(response, 400, "malformed_header");
    }

    [Fact]
    public async Task A_stream_of_nothing_is_a_problem_and_the_list_stays_the_default()
    {
        using var unknown = await OpenAsync("job_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P");
        await ApiClient.ProblemAsync(unknown, 404, "not_found");
        string id = await service.Api.AddJobAsync(await service.Api.AddModelAsync(SampleModels.Vector()), 2);
        using var negative = await OpenAsync(id, lastEventId: null, query: "?after=-1");
        await ApiClient.ProblemAsync(negative, 422, "invalid_field");
        using var beyond = await OpenAsync(id, lastEventId: null, query: "?after=99999");
        var problem = await ApiClient.ProblemAsync(beyond, 422, "invalid_field");
        Assert.Equal("?after", (string?)problem["errors"]![0]!["pointer"]);
        using var picture = await service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs/{id}/events", null, ("Accept", "image/png"));
        await ApiClient.ProblemAsync(picture, 406, "not_acceptable");
        using var any = await service.Api.SendAsync(HttpMethod.Get, $"/v1/jobs/{id}/events", null, ("Accept", "*/*"));
        Assert.Equal("application/json", any.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_browser_follows_a_job_and_stops_by_itself()
    {
        await using var chromium = await Chromium.StartAsync();
        var page = await chromium.Browser.NewPageAsync();
        await page.GotoAsync(new Uri(service.Address, "/swagger/index.html").ToString());
        string model = await service.Api.AddModelAsync(SampleModels.Layers(8, 160, 160));
        string id = await service.Api.AddJobAsync(model, 4);

        // After the stream's end the browser comes back with the last id; only an answer without content makes it stop.
        string[] seen = await page.EvaluateAsync<string[]>(
            """
            id => new Promise(resolve => {
              const seen = [];
              const source = new EventSource(`/v1/jobs/${id}/events`);
              for (const type of ['queued', 'started', 'progress', 'requeued', 'succeeded', 'failed', 'canceled'])
                source.addEventListener(`job.${type}`, item => seen.push(`${item.lastEventId} ${JSON.parse(item.data).type}`));
              source.onerror = () => { if (source.readyState === EventSource.CLOSED) resolve(seen); };
            })
            """,
            id);
        var list = (await service.Api.GetAsync($"/v1/jobs/{id}/events"))["data"]!.AsArray();
        Assert.Equal("job.succeeded", (string?)list[^1]!["type"]);
        Assert.Equal(list.Select(item => $"{item!["sequence"]} {item["type"]}"), seen);
    }

    [Fact]
    public async Task An_event_wakes_the_stream_in_its_process_and_reaches_that_of_another_all_the_same()
    {
        await using var idle = await RunningService.StartAsync("--Role=Api");
        string model = await AddUnreadModelAsync(idle);
        var log = idle.Services.GetRequiredService<EventLog>();

        // The first has no timer that ever fires and lives by the signal; the second has no signal, as in another process, and lives by its look at the table.
        var here = new EventStream(log, idle.Services.GetRequiredService<JobSignals>(), new ScaledClock(0));
        var elsewhere = new EventStream(log, new JobSignals(), new ScaledClock(100));
        foreach (var stream in new[] { here, elsewhere })
        {
            string id = await StoreJobAsync(idle, model);
            var pipe = new Pipe();
            var written = WriteAsync(stream, pipe, id);
            var events = SseParser.Create(pipe.Reader.AsStream()).EnumerateAsync(Cancellation).GetAsyncEnumerator(Cancellation);
            Assert.True(await events.MoveNextAsync());
            Assert.Equal("job.queued", events.Current.EventType);
            using var cancel = await idle.Api.SendAsync(HttpMethod.Post, $"/v1/jobs/{id}/cancel");
            Assert.True(await events.MoveNextAsync());
            Assert.Equal(("job.canceled", "2"), (events.Current.EventType, events.Current.EventId));
            Assert.False(await events.MoveNextAsync());
            await written;
        }
    }

    [Fact]
    public async Task A_silent_stream_sends_comments()
    {
        await using var idle = await RunningService.StartAsync("--Role=Api");
        string id = await StoreJobAsync(idle, await AddUnreadModelAsync(idle));
        var pipe = new Pipe();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var stream = new EventStream(idle.Services.GetRequiredService<EventLog>(), new JobSignals(), new ScaledClock(1000));
        var written = WriteAsync(stream, pipe, id, end.Token);
        using var reader = new StreamReader(pipe.Reader.AsStream(), Encoding.UTF8);
        int comments = 0;
        while (comments < 2)
        {
            string line = (await reader.ReadLineAsync(Cancellation))!;
            comments += string.Equals(line, ":", StringComparison.Ordinal) ? 1 : 0;
        }

        await end.CancelAsync();
        await written;
    }

    [Fact]
    public async Task An_orderly_stop_ends_streams_in_order()
    {
        string folder = Directory.CreateTempSubdirectory("condense-events-").FullName;
        await using (var process = await ServiceProcess.StartReadyAsync(folder, "--Worker:Threads=1"))
        {
            string id = await process.Api.AddJobAsync(await process.Api.AddModelAsync(SampleModels.Layers(48, 256, 256)), 4);
            using var response = await OpenAsync(process.Api, id);
            await using var body = await response.Content.ReadAsStreamAsync(Cancellation);
            var events = SseParser.Create(body).EnumerateAsync(Cancellation).GetAsyncEnumerator(Cancellation);
            Assert.True(await events.MoveNextAsync());
            var ended = process.TerminateAsync();

            // A connection that is torn down would throw here.
            while (await events.MoveNextAsync())
            {
                Assert.StartsWith("job.", events.Current.EventType, StringComparison.Ordinal);
            }

            Assert.Equal((0, ""), await ended);
        }

        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Reads a few events, hangs up, comes back with the last id, until the job has ended.</summary>
    private async Task<List<SseItem<string>>> FollowAsync(string id, Random random)
    {
        var seen = new List<SseItem<string>>();
        while (true)
        {
            using var response = await OpenAsync(id, seen.Count == 0 ? null : seen[^1].EventId);
            if (response.StatusCode == HttpStatusCode.NoContent)
            {
                return seen;
            }

            await using var body = await response.Content.ReadAsStreamAsync(Cancellation);
            int left = random.Next(1, 4);
            await foreach (var item in SseParser.Create(body).EnumerateAsync(Cancellation))
            {
                seen.Add(item);
                if (--left == 0)
                {
                    break;
                }
            }
        }
    }

    private Task<HttpResponseMessage> OpenAsync(string id, string? lastEventId = null, string query = "") => OpenAsync(service.Api, id, lastEventId, query);

    private static async Task<HttpResponseMessage> OpenAsync(ApiClient api, string id, string? lastEventId = null, string query = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/v1/jobs/{id}/events{query}", UriKind.Relative));
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        return await api.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
    }

    private static async Task WriteAsync(EventStream stream, Pipe pipe, string id, CancellationToken? cancellationToken = null)
    {
        await stream.WriteAsync(pipe.Writer.AsStream(), Tenant.Default, id, 0, cancellationToken ?? Cancellation);
        await pipe.Writer.CompleteAsync();
    }

    /// <summary>A service that runs nothing does not read models either: its jobs go past the checks.</summary>
    private static async Task<string> AddUnreadModelAsync(RunningService idle)
    {
        using var response = await idle.Api.UploadAsync(SampleModels.Layers(1, 64, 48));
        return (string)(await ApiClient.CreatedAsync(response))["id"]!;
    }

    private static async Task<string> StoreJobAsync(RunningService idle, string model)
    {
        await using var scope = idle.Scope();
        var job = new Job
        {
            Id = idle.Services.GetRequiredService<IdSource>().Next("job_"),
            TenantId = Tenant.Default,
            ModelId = model,
            RequestJson = "{\"model\":\"" + model + "\"}",
            Priority = 5,
            CreatedAt = TimeProvider.System.GetUtcNow(),
            EventCount = 1,
        };
        await scope.ServiceProvider.GetRequiredService<JobLedger>().AcceptAsync(job, _ => Task.CompletedTask, Cancellation);
        return job.Id;
    }

    /// <summary>A clock that runs so many times faster; at 0 no timer ever fires.</summary>
    private sealed class ScaledClock(int speed) : TimeProvider
    {
        public override long TimestampFrequency => System.TimestampFrequency;

        public override long GetTimestamp() => System.GetTimestamp() * Math.Max(1, speed);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, speed == 0 ? Timeout.InfiniteTimeSpan : dueTime / speed, period);
    }
}
