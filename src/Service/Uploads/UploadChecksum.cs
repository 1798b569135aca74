using System.Security.Cryptography;
using Condense.Service.Problems;

namespace Condense.Service.Uploads;

/// <summary>The header <c>Upload-Checksum</c>: the digest of one request's bytes. None of them counts before all of them fit.</summary>
internal sealed class UploadChecksum : IDisposable
{
    /// <summary>The algorithms that are taken.</summary>
    public const string Algorithms = "sha256,sha1";

    private readonly IncrementalHash _hash;
    private readonly byte[] _announced;

    private UploadChecksum(IncrementalHash hash, byte[] announced)
    {
        _hash = hash;
        _announced = announced;
    }

    /// <summary>Reads the header; null is none.</summary>
    /// <exception cref="ProblemException">It names no algorithm that is taken, or no digest of it: <c>malformed_header</c>.</exception>
    public static UploadChecksum? Parse(string? header)
    {
        if (header is null)
        {
            return null;
        }

        var algorithm = header.Split(' ') switch
        {
            ["sha256", _] => HashAlgorithmName.SHA256,
            // The one algorithm that the protocol asks every server for. It finds damage on the way here, nothing more.
            ["sha1", _] => HashAlgorithmName.SHA1,
            _ => throw Malformed(header),
        };
        byte[] announced = new byte[header.Length];
        var hash = IncrementalHash.CreateHash(algorithm);
        if (Convert.TryFromBase64String(header.Split(' ')[1], announced, out int length) && length == hash.HashLengthInBytes)
        {
            return new UploadChecksum(hash, announced[..length]);
        }

        hash.Dispose();
        throw Malformed(header);
    }

    /// <summary>Adds bytes that have arrived.</summary>
    public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    /// <summary>Compares what arrived with what was announced.</summary>
    /// <exception cref="ProblemException">They differ: <c>checksum_mismatch</c>.</exception>
    public void Verify()
    {
        byte[] found = _hash.GetHashAndReset();
        if (!found.AsSpan().SequenceEqual(_announced))
        {
            throw new ProblemException(
                ProblemKind.ChecksumMismatch,
                $"The bytes of this request have the digest {Convert.ToBase64String(found)}, but {Convert.ToBase64String(_announced)} was announced. None of them were kept; send them again.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private static ProblemException Malformed(string header) => new(
        ProblemKind.MalformedHeader, $"{Tus.ChecksumField} is \"{header}\". It looks like: sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= (one of {Algorithms}, a space, base64).");
}
