using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Condense.Models.Tensors;

/// <summary>What one pass over a tensor's bytes says of it.</summary>
/// <param name="NonFiniteCount">Elements that are NaN or infinite; integers have none, and a complex number counts once.</param>
/// <param name="FirstNonFinite">The index of the first of them in the order of the file, or −1.</param>
/// <param name="Digest">SHA-256 of the bytes, lower-case hex; null unless asked for.</param>
public sealed record TensorScan(long NonFiniteCount, long FirstNonFinite, string? Digest)
{
    // A multiple of 16 for the widest elements, and of 3 for those of 6 bits: four of them take three bytes.
    private const int BufferBytes = 3 << 18;

    private static readonly TensorScan s_nothing = new(0, -1, null);

    /// <summary>Reads a tensor once. A buffer of 768 KiB, and four times that for narrow floats; O(bytes).</summary>
    /// <param name="tensor">Any tensor.</param>
    /// <param name="digest">Whether to make the digest; without it, integers are not read at all.</param>
    /// <param name="cancellationToken">Stops between two buffers.</param>
    /// <exception cref="IOException">The file can't be read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static TensorScan Of(Tensor tensor, bool digest, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        bool isFloat = tensor.DType.IsFloatingPoint() || tensor.DType is DType.C64 or DType.C128;
        if (!digest && !isFloat)
        {
            return s_nothing;
        }

        using var hash = digest ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        var data = tensor.Data;
        byte[] buffer = new byte[(int)Math.Min(BufferBytes, data.ByteLength)];
        float[] decoded = [];
        long count = 0;
        long first = -1;
        for (long offset = 0; offset < data.ByteLength; offset += buffer.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, data.ByteLength - offset));
            data.Read(offset, part);
            hash?.AppendData(part);
            if (isFloat)
            {
                int bits = tensor.DType.BitsPerElement();
                long start = offset * 8 / bits;
                var (found, index) = Count(tensor.DType, part, (int)Math.Min((long)part.Length * 8 / bits, tensor.Shape.ElementCount - start), ref decoded);
                first = first < 0 && index >= 0 ? start + index : first;
                count += found;
            }
        }

        return new TensorScan(count, first, hash is null ? null : Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static (int Count, int First) Count(DType dtype, ReadOnlySpan<byte> bytes, int elements, ref float[] decoded)
    {
        switch (dtype)
        {
            // Finite in f64 may be infinite in f32: these are looked at as they are.
            case DType.F64:
                return Count(MemoryMarshal.Cast<byte, double>(bytes), 1);
            case DType.C128:
                return Count(MemoryMarshal.Cast<byte, double>(bytes), 2);
            case DType.F32:
                return Count(MemoryMarshal.Cast<byte, float>(bytes), 1);
            case DType.C64:
                return Count(MemoryMarshal.Cast<byte, float>(bytes), 2);
            default:
                if (decoded.Length < elements)
                {
                    decoded = new float[elements];
                }

                FloatDecoder.Decode(dtype, bytes, 0, decoded.AsSpan(0, elements));
                return Count<float>(decoded.AsSpan(0, elements), 1);
        }
    }

    /// <summary>Elements of <paramref name="parts"/> numbers each, of which at least one is not finite.</summary>
    private static (int Count, int First) Count<T>(ReadOnlySpan<T> values, int parts)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (TensorPrimitives.IsFiniteAll(values))
        {
            return (0, -1);
        }

        int count = 0;
        int first = -1;
        for (int i = 0; i < values.Length; i += parts)
        {
            if (!TensorPrimitives.IsFiniteAll(values.Slice(i, parts)))
            {
                first = first < 0 ? i / parts : first;
                count++;
            }
        }

        return (count, first);
    }
}
