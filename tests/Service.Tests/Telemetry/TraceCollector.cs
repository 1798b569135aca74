using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Xunit;

namespace Condense.Service.Tests.Telemetry;

/// <summary>A span as it arrived.</summary>
/// <param name="Role">The sender's <c>condense.role</c>.</param>
/// <param name="Name">What it is.</param>
/// <param name="Trace">The trace's id, hex.</param>
/// <param name="Id">Its id, hex.</param>
/// <param name="Parent">Its parent's id, hex.</param>
internal sealed record CollectedSpan(string Role, string Name, string Trace, string Id, string Parent);

/// <summary>A collector that speaks OTLP over HTTP, takes what the services export and decodes the protobuf by hand; and a receiver of webhooks.</summary>
internal sealed class TraceCollector : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TraceCollector(WebApplication app) => _app = app;

    public ConcurrentQueue<CollectedSpan> Spans { get; } = new();

    /// <summary>The <c>traceparent</c> of each webhook that came to <c>/hook</c>.</summary>
    public ConcurrentQueue<string> Webhooks { get; } = new();

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>The settings that make a service send here, at once.</summary>
    public string[] Settings =>
    [
        $"--OTEL_EXPORTER_OTLP_ENDPOINT={Address}", "--OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "--OTEL_BSP_SCHEDULE_DELAY=100",
    ];

    public static async Task<TraceCollector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default=Warning"]);
        var collector = new TraceCollector(builder.Build());
        collector._app.MapPost("/v1/traces", async (HttpRequest request) =>
        {
            Assert.Equal("application/x-protobuf", request.ContentType);
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            collector.Read(body.ToArray());
            return Results.Bytes([], "application/x-protobuf");
        });
        collector._app.MapPost("/hook", (HttpRequest request) => collector.Webhooks.Enqueue(request.Headers.TraceParent.ToString()));
        await collector._app.StartAsync(TestContext.Current.CancellationToken);
        return collector;
    }

    /// <summary>Waits until spans of these names have arrived in a trace.</summary>
    public async Task<IReadOnlyList<CollectedSpan>> UntilAsync(string trace, params string[] names)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            CollectedSpan[] spans = [.. Spans.Where(span => span.Trace == trace)];
            string[] missing = [.. names.Except(spans.Select(span => span.Name))];
            if (missing.Length == 0)
            {
                return spans;
            }

            Assert.True(
                TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(60),
                $"Missing: {string.Join(", ", missing)}; arrived: {string.Join(", ", spans.Select(span => span.Name))}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>ExportTraceServiceRequest: resource_spans 1 { resource 1 { attributes 1 }, scope_spans 2 { spans 2 } }.</summary>
    private void Read(byte[] request)
    {
        foreach (byte[] resourceSpans in Fields(request, 1))
        {
            string role = Fields(resourceSpans, 1).SelectMany(resource => Fields(resource, 1)).Where(pair => Text(pair, 1) == "condense.role").Select(pair => Text(Fields(pair, 2).Single(), 1)).Single();
            foreach (byte[] span in Fields(resourceSpans, 2).SelectMany(scope => Fields(scope, 2)))
            {
                Spans.Enqueue(new CollectedSpan(role, Text(span, 5), Hex(span, 1), Hex(span, 2), Hex(span, 4)));
            }
        }
    }

    private static string Text(byte[] message, int field) => Encoding.UTF8.GetString(Fields(message, field).Single());

    private static string Hex(byte[] message, int field) => Convert.ToHexStringLower(Fields(message, field).SingleOrDefault() ?? []);

    /// <summary>The length-delimited fields of one number.</summary>
    private static List<byte[]> Fields(byte[] message, int number)
    {
        var found = new List<byte[]>();
        int at = 0;
        while (at < message.Length)
        {
            ulong tag = Varint(message, ref at);
            switch (tag & 7)
            {
                case 0:
                    Varint(message, ref at);
                    break;
                case 1:
                    at += 8;
                    break;
                case 2:
                    int length = (int)Varint(message, ref at);
                    if (tag >> 3 == (ulong)number)
                    {
                        found.Add(message[at..(at + length)]);
                    }

                    at += length;
                    break;
                case 5:
                    at += 4;
                    break;
                default:
                    Assert.Fail($"Wire type {tag & 7} at byte {at}.");
                    break;
            }
        }

        return found;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte part = message[at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }
}
