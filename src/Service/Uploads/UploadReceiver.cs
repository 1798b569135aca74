using Condense.Models;
using Condense.Service.Library;
using Condense.Service.Problems;

namespace Condense.Service.Uploads;

/// <summary>
/// Takes the bytes of one request. What is acknowledged is durable; the last bytes are acknowledged together with the model that the whole has become.
/// </summary>
internal sealed class UploadReceiver(UploadLedger ledger, IUploadBytes bytes, ModelLibrary library, PartLibrary parts, IHostApplicationLifetime lifetime, TimeProvider clock)
{
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

    /// <summary>Makes a model of the whole, or a part of one. What can't become one is removed: sending it again would not help.</summary>
    private async Task<string> FinishAsync(UploadSession upload, UploadTurn turn, CancellationToken cancellationToken)
    {
        await using var file = await bytes.CompleteAsync(turn, cancellationToken) ?? throw UploadLedger.TakenOver(turn.Id);
        string model;
        try
        {
            var metadata = UploadMetadata.Parse(upload.Metadata);
            model = metadata.Model is null
                ? (await library.AddAsync(file, upload.Name, new Dictionary<string, string>(StringComparer.Ordinal), cancellationToken, (id, cancel) => ledger.FinishWithinAsync(turn, id, cancel))).Id
                : (await parts.AddAsync(metadata.Model, metadata.Part!, file, cancellationToken, (id, cancel) => ledger.FinishWithinAsync(turn, id, cancel))).ModelId;
        }
        catch (Exception exception) when (exception is ModelFormatException || exception is ProblemException { Kind.Status: < 500 } problem && problem.Kind != ProblemKind.UploadOffsetMismatch)
        {
            if (await ledger.DropAsync(turn, CancellationToken.None))
            {
                await bytes.RemoveAsync(turn.BlobId);
            }

            throw;
        }

        if (!file.IsKept)
        {
            // The tenant has these very bytes already.
            await bytes.RemoveAsync(turn.BlobId);
        }

        return model;
    }
}
