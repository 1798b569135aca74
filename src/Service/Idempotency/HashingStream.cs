using System.Security.Cryptography;

namespace Condense.Service.Idempotency;

/// <summary>
/// A request's body, hashed while it is read. The boundary of a form is left out: clients draw a new one for each request, and a repeated request
/// would else be another.
/// </summary>
/// <param name="source">The body.</param>
/// <param name="boundary">The boundary's bytes; empty when the body is no form.</param>
internal sealed class HashingStream(Stream source, byte[] boundary) : Stream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>The last bytes, in which a boundary may have begun.</summary>
    private byte[] _held = [];

    /// <summary>Whether the body has been read to its end.</summary>
    public bool IsAtEnd { get; private set; }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>The digest of what has been read, lower-case hex. Reading on is possible.</summary>
    public string Digest() => Convert.ToHexStringLower(SHA256.HashData([.. _hash.GetCurrentHash(), .. _held]));

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count = await source.ReadAsync(buffer, cancellationToken);
        IsAtEnd |= count == 0 && buffer.Length > 0;
        Append(buffer.Span[..count]);
        return count;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bodies are read asynchronously.");

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (boundary.Length == 0)
        {
            _hash.AppendData(bytes);
            return;
        }

        ReadOnlySpan<byte> rest = [.. _held, .. bytes];
        for (int at; (at = rest.IndexOf(boundary)) >= 0; rest = rest[(at + boundary.Length)..])
        {
            _hash.AppendData(rest[..at]);
        }

        int kept = int.Min(boundary.Length - 1, rest.Length);
        _hash.AppendData(rest[..^kept]);
        _held = rest[^kept..].ToArray();
    }
}
