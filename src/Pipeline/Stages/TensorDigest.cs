using System.Security.Cryptography;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Stages;

/// <summary>SHA-256 of files and tensors, lower-case hex.</summary>
internal static class TensorDigest
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Of a tensor's bytes. O(bytes), a buffer of 1 MiB.</summary>
    public static string Of(TensorData data, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[(int)Math.Min(BufferBytes, Math.Max(1, data.ByteLength))];
        for (long offset = 0; offset < data.ByteLength;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = (int)Math.Min(buffer.Length, data.ByteLength - offset);
            data.Read(offset, buffer.AsSpan(0, count));
            hash.AppendData(buffer, 0, count);
            offset += count;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Of a file.</summary>
    public static async Task<string> OfFileAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
    }
}
