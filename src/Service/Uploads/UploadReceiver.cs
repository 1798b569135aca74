using Condense.Models;
using Condense.Service.Access;
using Condense.Service.Library;
using Condense.Service.Problems;
using Condense.Service.Storage;

namespace Condense.Service.Uploads;

/// <summary>
/// Takes the bytes of one request. What is acknowledged is durable; the last bytes are acknowledged together with the model that the whole has become.
/// </summary>
internal sealed class UploadReceiver(
    UploadLedger ledger,
    IUploadBytes bytes,
    ModelLibrary library,
    PartLibrary parts,
    IServiceScopeFactory scopes,
    IHostApplicationLifetime lifetime,
    TimeProvider clock,
    ILogger<UploadReceiver> logger)
{
    /// <summary>Signs of life while the model is made; some may get lost.</summary>
    private static readonly TimeSpan s_beat = UploadLedger.FinishLease / 5;

    /// <summary>A slow sender's bytes are made durable this often.</summary>
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);

    /// <summary>Takes a body, and finishes the upload when it is whole.</summary>
    /// <returns>Bytes that are durable now, and the model that the upload has become, if it is whole.</returns>
    /// <exception cref="ProblemException">Too many bytes, the wrong digest, or another request has taken over.</exception>
    /// <exception cref="ModelFormatException">The whole is no model; nothing is left.</exception>
    public async Task<(long Offset, string? ModelId)> ReceiveAsync(UploadSession upload, UploadTurn turn, Stream body, UploadChecksum? checksum, CancellationToken cancellationToken)
    {
        using var buffer = new UploadBuffer();
        long position = turn.Offset;
        long stored = clock.GetTimestamp();
        while (true)
        {
            int read = await ReadAsync(turn, position, body, buffer, isWhole: checksum is null, cancellationToken);
            if (read == 0)
            {
                break;
            }

            if (read > turn.Length - position - buffer.Count)
            {
                throw new ProblemException(
                    ProblemKind.PayloadTooLarge, $"The upload {turn.Id} was announced with {turn.Length} bytes, and more have come. It is at byte {position}.");
            }

            checksum?.Append(buffer.Free.Span[..read]);
            buffer.Advance(read);
            if (position + buffer.Count < turn.Length && (buffer.IsFull || clock.GetElapsedTime(stored) > s_interval))
            {
                // With a digest, nothing counts before all of it has come and fits.
                await AppendAsync(turn, position, buffer.Bytes, checksum is null ? position + buffer.Count : turn.Offset, cancellationToken);
                position += buffer.Count;
                buffer.Clear();
                stored = clock.GetTimestamp();
            }
        }

        checksum?.Verify();
        long end = position + buffer.Count;
        if (end < turn.Length)
        {
            await AppendAsync(turn, position, buffer.Bytes, end, CancellationToken.None);
            return (end, null);
        }

        // From here on the client is not needed: it may have gone, and will ask what has become of it.
        await AppendAsync(turn, position, buffer.Bytes, checksum is null ? position : turn.Offset, CancellationToken.None);
        return (end, await FinishAsync(upload, turn, lifetime.ApplicationStopping));
    }

    /// <summary>Reads once. What had come before a connection broke is kept.</summary>
    private async Task<int> ReadAsync(UploadTurn turn, long position, Stream body, UploadBuffer buffer, bool isWhole, CancellationToken cancellationToken)
    {
        try
        {
            // A full buffer is one that holds the last bytes: what would follow is beyond the whole.
            byte[]? beyond = buffer.IsFull ? new byte[1] : null;
            return await body.ReadAsync(beyond ?? buffer.Free, cancellationToken);
        }
        catch (Exception exception) when (isWhole && buffer.Count > 0 && exception is IOException or OperationCanceledException or BadHttpRequestException)
        {
            // The last bytes wait for the model: a body that breaks right behind them is sent again from here.
            long end = position + buffer.Count;
            await bytes.AppendAsync(turn, position, buffer.Bytes, end < turn.Length ? end : position, CancellationToken.None);
            throw;
        }
    }

    private async Task AppendAsync(UploadTurn turn, long position, ReadOnlyMemory<byte> part, long offset, CancellationToken cancellationToken)
    {
        if (!await bytes.AppendAsync(turn, position, part, offset, cancellationToken))
        {
            throw UploadLedger.TakenOver(turn.Id);
        }
    }

    /// <summary>Gives an upload up whose address nobody will learn.</summary>
    public async Task AbandonAsync(UploadTurn turn)
    {
        if (await ledger.DropAsync(turn, CancellationToken.None))
        {
            await bytes.RemoveAsync(turn.BlobId);
        }
    }

    /// <summary>
    /// Makes a model of the whole, or a part of one, however long that takes: the client asks again and waits, and does not disturb it. What can never
    /// become one is removed. What can't now, for want of room, stays as it was before its last bytes, which are sent again.
    /// </summary>
    private async Task<string> FinishAsync(UploadSession upload, UploadTurn turn, CancellationToken cancellationToken)
    {
        if (!await ledger.HoldAsync(turn, cancellationToken))
        {
            throw UploadLedger.TakenOver(turn.Id);
        }

        using var end = new CancellationTokenSource();
        var alive = KeepHoldAsync(upload.TenantId, turn, end.Token);
        try
        {
            return await MakeAsync(upload, turn, cancellationToken);
        }
        catch (Exception exception) when (IsFinal(exception))
        {
            await AbandonAsync(turn);
            throw;
        }
        catch (Exception exception) when (!DatabaseFault.IsAway(exception))
        {
            // With the database away, the hold runs out by itself.
            await ledger.LetGoAsync(turn);
            throw;
        }
        finally
        {
            await end.CancelAsync();
            await alive;
        }
    }

    private async Task<string> MakeAsync(UploadSession upload, UploadTurn turn, CancellationToken cancellationToken)
    {
        await using var file = await bytes.CompleteAsync(turn, cancellationToken) ?? throw UploadLedger.TakenOver(turn.Id);
        var metadata = UploadMetadata.Parse(upload.Metadata);
        string model = metadata.Model is null
            ? (await library.AddAsync(file, upload.Name, new Dictionary<string, string>(StringComparer.Ordinal), cancellationToken, (id, cancel) => ledger.FinishWithinAsync(turn, id, cancel))).Id
            : (await parts.AddAsync(metadata.Model, metadata.Part!, file, cancellationToken, (id, cancel) => ledger.FinishWithinAsync(turn, id, cancel))).ModelId;
        if (!file.IsKept)
        {
            // The tenant has these very bytes already.
            await bytes.RemoveAsync(turn.BlobId);
        }

        return model;
    }

    /// <summary>Whether these bytes will never become a model: they are none, or the one that they belong to takes no files any more.</summary>
    private static bool IsFinal(Exception exception) =>
        exception is ModelFormatException
        || (exception is ProblemException problem && (problem.Kind == ProblemKind.NotFound || problem.Kind == ProblemKind.ModelCommitted));

    private async Task KeepHoldAsync(string tenant, UploadTurn turn, CancellationToken end)
    {
        while (true)
        {
            try
            {
                await Task.Delay(s_beat, clock, end);
                await using var scope = scopes.CreateAsyncScope();
                scope.ServiceProvider.GetRequiredService<Caller>().Become(tenant);
                await scope.ServiceProvider.GetRequiredService<UploadLedger>().HoldAsync(turn, end);
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // The next beat may get through; else the hold runs out, and another request may make the model instead.
                UploadLog.NotHeld(logger, exception, turn.Id);
            }
        }
    }
}
