using System.Buffers;
using System.Data;
using Npgsql;

namespace Condense.Service.Storage;

/// <summary>
/// Reads a blob from the database, seekable. It holds one chunk of memory, and a connection only while it fetches one: whoever reads slowly keeps
/// neither a connection nor a transaction. Not for several threads.
/// </summary>
/// <param name="source">The database.</param>
/// <param name="blobId">The blob.</param>
/// <param name="length">Its length.</param>
internal sealed class ChunkStream(NpgsqlDataSource source, string blobId, long length) : Stream
{
    // The one chunk that holds the position: chunks have at most ArtifactChunk.Bytes, and may be shorter anywhere.
    private const string Select =
        """SELECT "offset", octet_length(data), data FROM artifact_chunk WHERE blob_id = $1 AND "offset" <= $2 AND "offset" > $3 ORDER BY "offset" DESC LIMIT 1""";

    private byte[]? _chunk;
    private long _start;
    private int _count;
    private long _position;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => length;

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) =>
        Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => _position + offset,
            _ => length + offset,
        };

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_position >= length || buffer.Length == 0)
        {
            return 0;
        }

        if (_position < _start || _position >= _start + _count)
        {
            await FetchAsync(cancellationToken);
        }

        int skipped = (int)(_position - _start);
        int count = Math.Min(buffer.Length, _count - skipped);
        _chunk.AsMemory(skipped, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read asynchronously: the bytes come from the database.");

    /// <inheritdoc/>
    public override void Flush() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_chunk is not null)
        {
            ArrayPool<byte>.Shared.Return(_chunk);
            _chunk = null;
            _count = 0;
        }

        base.Dispose(disposing);
    }

    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        _count = 0;
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Select, connection)
        {
            Parameters = { new() { Value = blobId }, new() { Value = _position }, new() { Value = _position - ArtifactChunk.Bytes } },
        };
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            throw Gone();
        }

        long start = reader.GetInt64(0);
        int count = reader.GetInt32(1);
        if (count > ArtifactChunk.Bytes || start + count <= _position)
        {
            throw Gone();
        }

        _chunk ??= ArrayPool<byte>.Shared.Rent(ArtifactChunk.Bytes);
        await using var bytes = await reader.GetStreamAsync(2, cancellationToken);
        await bytes.ReadExactlyAsync(_chunk.AsMemory(0, count), cancellationToken);
        _start = start;
        _count = count;
    }

    private IOException Gone() => new($"The bytes of {blobId} at {_position} are not in the database any more: it was deleted while it was read.");
}
