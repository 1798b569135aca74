using System.Buffers;
using System.Security.Cryptography;
using Condense.Service.Problems;

namespace Condense.Service.Storage;

/// <summary>
/// Takes a stream in blocks: while a block is hashed on one thread and written by another, the next one arrives. Two blocks of memory, whatever the
/// length.
/// </summary>
internal static class Inflow
{
    /// <summary>Bytes of a block; every block but the last is full.</summary>
    public const int BlockBytes = 1 << 20;

    /// <summary>Takes all of a stream.</summary>
    /// <param name="source">The bytes.</param>
    /// <param name="limit">The most bytes that are taken.</param>
    /// <param name="write">Writes a block at an offset; one at a time, in order.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The SHA-256, lower-case hex, and the length.</returns>
    /// <exception cref="ProblemException">There are more bytes than the limit: <c>payload_too_large</c>.</exception>
    public static async Task<(string Sha256, long Bytes)> TakeAsync(
        Stream source, long limit, Func<ReadOnlyMemory<byte>, long, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] arriving = ArrayPool<byte>.Shared.Rent(BlockBytes);
        byte[] leaving = ArrayPool<byte>.Shared.Rent(BlockBytes);
        var pending = Task.CompletedTask;
        try
        {
            long length = 0;
            int read;
            while ((read = await source.ReadAtLeastAsync(arriving.AsMemory(0, BlockBytes), BlockBytes, throwOnEndOfStream: false, cancellationToken)) > 0)
            {
                if (read > limit - length)
                {
                    throw new ProblemException(ProblemKind.PayloadTooLarge, $"The file has more than the {limit} bytes that are accepted. GET /v1/limits lists the limits.");
                }

                await pending;
                (arriving, leaving) = (leaving, arriving);
                pending = Task.WhenAll(Hash(hash, leaving, read), write(leaving.AsMemory(0, read), length, cancellationToken));
                length += read;
            }

            await pending;
            return (Convert.ToHexStringLower(hash.GetHashAndReset()), length);
        }
        finally
        {
            // A block may still be in use when the source has failed.
            await pending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ArrayPool<byte>.Shared.Return(arriving);
            ArrayPool<byte>.Shared.Return(leaving);
        }
    }

    private static Task Hash(IncrementalHash hash, byte[] block, int count) => Task.Run(() => hash.AppendData(block, 0, count));
}
