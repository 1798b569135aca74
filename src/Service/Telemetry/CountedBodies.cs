using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace Condense.Service.Telemetry;

/// <summary>Counts the bytes of bodies, in and out, where they pass: whatever the endpoint, nothing is buffered and nothing is copied.</summary>
internal static class CountedBodies
{
    /// <summary>Counts the bodies of every request under <c>/v1</c>.</summary>
    public static void UseCountedBodies(this WebApplication app)
    {
        var metrics = app.Services.GetRequiredService<ServiceMetrics>();
        app.Use((context, next) =>
        {
            if (context.Request.Path.StartsWithSegments("/v1", StringComparison.Ordinal))
            {
                context.Request.Body = new CountedStream(context.Request.Body, metrics.BytesIn, metrics.BytesOut);
                context.Features.Set<IHttpResponseBodyFeature>(new CountedBody(context.Features.GetRequiredFeature<IHttpResponseBodyFeature>(), metrics));
            }

            return next(context);
        });
    }

    /// <summary>The answer's body: as a stream, as a pipe, or as a file.</summary>
    private sealed class CountedBody(IHttpResponseBodyFeature inner, ServiceMetrics metrics) : IHttpResponseBodyFeature
    {
        public Stream Stream { get; } = new CountedStream(inner.Stream, metrics.BytesIn, metrics.BytesOut);

        public PipeWriter Writer { get; } = new CountedWriter(inner.Writer, metrics.BytesOut);

        public Task CompleteAsync() => inner.CompleteAsync();

        public void DisableBuffering() => inner.DisableBuffering();

        public async Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
        {
            await inner.SendFileAsync(path, offset, count, cancellationToken);
            metrics.BytesOut(count ?? (new FileInfo(path).Length - offset));
        }

        public Task StartAsync(CancellationToken cancellationToken = default) => inner.StartAsync(cancellationToken);
    }

    private sealed class CountedWriter(PipeWriter inner, Action<long> written) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes)
        {
            inner.Advance(bytes);
            written(bytes);
        }

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override async ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            var result = await inner.WriteAsync(source, cancellationToken);
            written(source.Length);
            return result;
        }
    }
}
