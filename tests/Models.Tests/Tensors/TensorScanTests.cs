using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Tensors;

public sealed class TensorScanTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(196_608)]
    [InlineData(196_609)]
    [InlineData(500_001)]
    public void Offences_are_counted_and_the_first_is_found_across_buffers(int length)
    {
        float[] values = new float[length];
        int[] places = [.. new[] { 0, length / 3, length / 2, length - 1 }.Distinct()];
        foreach (int place in places.Skip(1))
        {
            values[place] = place % 2 == 0 ? float.NaN : float.NegativeInfinity;
        }

        var scan = Scan(DType.F32, MemoryMarshal.AsBytes<float>(values).ToArray(), length, digest: true);
        Assert.Equal(places.Length - 1, scan.NonFiniteCount);
        Assert.Equal(places.Length > 1 ? places[1] : -1, scan.FirstNonFinite);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(values))), scan.Digest);
    }

    [Theory]
    [InlineData(DType.F16, 0x7C00)]
    [InlineData(DType.BF16, 0x7FC0)]
    [InlineData(DType.F8E4M3, 0x7F)]
    [InlineData(DType.F8E5M2, 0xFC)]
    public void Narrow_floats_are_decoded_before_they_are_judged(DType dtype, int bad)
    {
        int size = dtype.BitsPerElement() / 8;
        byte[] bytes = new byte[900_000 * size];
        foreach (int place in new[] { 400_000, 899_999 })
        {
            bytes[place * size] = (byte)(bad & 0xFF);
            bytes[(place * size) + size - 1] = (byte)(size == 1 ? bad : bad >> 8);
        }

        var scan = Scan(dtype, bytes, 900_000, digest: false);
        Assert.Equal((2, 400_000), (scan.NonFiniteCount, scan.FirstNonFinite));
        Assert.Null(scan.Digest);
    }

    [Fact]
    public void A_double_beyond_f32_is_finite()
    {
        double[] values = [1e300, double.NaN, 3];
        Assert.Equal((1, 1), (Scan(DType.F64, MemoryMarshal.AsBytes<double>(values).ToArray(), 3, digest: false) is var scan ? scan.NonFiniteCount : 0, scan.FirstNonFinite));
    }

    [Fact]
    public void A_complex_number_counts_once()
    {
        float[] values = [1, 2, float.NaN, float.NaN, 5, float.PositiveInfinity];
        var scan = Scan(DType.C64, MemoryMarshal.AsBytes<float>(values).ToArray(), 3, digest: false);
        Assert.Equal((2, 1), (scan.NonFiniteCount, scan.FirstNonFinite));
    }

    [Fact]
    public void Six_bits_straddle_no_buffer()
    {
        byte[] bytes = [.. Enumerable.Range(0, 1_200_000).Select(i => (byte)(i % 256))];
        Assert.Equal(0, Scan(DType.F6E3M2, bytes, 1_600_000, digest: false).NonFiniteCount);
    }

    [Fact]
    public void Integers_are_read_for_their_digest_alone()
    {
        var tensor = new Tensor("i", DType.I64, new TensorShape(1), new Unreadable());
        Assert.Equal((0, -1), (TensorScan.Of(tensor, digest: false, TestContext.Current.CancellationToken) is var scan ? scan.NonFiniteCount : 1, scan.FirstNonFinite));
        Assert.Throws<IOException>(() => TensorScan.Of(tensor, digest: true, TestContext.Current.CancellationToken));
    }

    private static TensorScan Scan(DType dtype, byte[] bytes, long elements, bool digest) =>
        TensorScan.Of(new Tensor("t", dtype, new TensorShape(elements), new MemoryTensorData(bytes)), digest, TestContext.Current.CancellationToken);

    private sealed class Unreadable : TensorData
    {
        public override long ByteLength => 8;

        public override void Read(long offset, Span<byte> destination) => throw new IOException("Nobody should read this.");
    }
}
