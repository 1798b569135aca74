using System.Numerics;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Rewriting;

public sealed class PackedNumbersTests
{
    [Fact]
    public void The_first_number_lies_in_the_lowest_bits()
    {
        Assert.Equal([0x21, 0x43, 0x05], Packed(4, [1, 2, 3, 4, 5]));
        Assert.Equal([0b11_10_01_00, 0b01], Packed(2, [0, 1, 2, 3, 1]));

        // 1, 2, 3 as 001, 010, 011 from the right: the third lies in two bytes.
        Assert.Equal([0b11_010_001, 0b0], Packed(3, [1, 2, 3]));
        Assert.Equal([0b01_010_001, 0b1], Packed(3, [1, 2, 5]));
        Assert.Equal([0b11_100001, 0b00001111], Packed(6, [0b100001, 0b111111]));
        Assert.Equal([0b111_00001, 0b11], Packed(5, [1, 0b11111]));

        // Two's complement: −1 and −7 are 1111 and 1001.
        Assert.Equal([0x9F], Packed(4, [0xFF, 0xF9]));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Numbers_of_every_length_are_those_of_one_long_binary_number(int bits)
    {
        var random = new Random(bits);
        for (int count = 0; count <= 40; count++)
        {
            byte[] numbers = [.. Enumerable.Range(0, count).Select(_ => (byte)random.Next(1 << bits))];
            BigInteger whole = 0;
            for (int i = count - 1; i >= 0; i--)
            {
                whole = (whole << bits) | numbers[i];
            }

            byte[] packed = Packed(bits, numbers);
            Assert.Equal(whole, new BigInteger(packed, isUnsigned: true));
            Assert.Equal(((count * bits) + 7) / 8, packed.Length);
            byte[] read = new byte[count];
            PackedNumbers.Unpack(packed, bits, signed: false, read);
            Assert.Equal(numbers, read);
            PackedNumbers.Unpack(packed, bits, signed: true, read);
            Assert.Equal(numbers.Select(number => number >= 1 << (bits - 1) ? number - (1 << bits) : number), read.Select(number => (int)unchecked((sbyte)number)));
        }
    }

    [Theory]
    [InlineData(2, 4096)]
    [InlineData(3, 8)]
    [InlineData(4, 16)]
    [InlineData(5, 24)]
    [InlineData(6, 64)]
    public async Task Parts_begin_and_end_anywhere(int bits, int chunk)
    {
        var random = new Random(bits);
        byte[] numbers = [.. Enumerable.Range(0, 1003).Select(_ => (byte)random.Next(1 << bits))];
        var packed = new PackedTensorData(new MemoryTensorData(numbers), bits, chunk);
        byte[] whole = Packed(bits, numbers);
        Assert.Equal(whole.Length, packed.ByteLength);
        using var stream = new MemoryStream();
        await packed.CopyToAsync(stream, TestContext.Current.CancellationToken);
        Assert.Equal(whole, stream.ToArray());
        var unpacked = new UnpackedTensorData(packed, new PackedNumbers(bits, Signed: false, new TensorShape(17, 59)));
        Assert.Equal(1003, unpacked.ByteLength);
        foreach (int length in (int[])[1, 2, 3, 7, 100, 1003])
        {
            Assert.Equal(whole, InParts(packed, length));
            Assert.Equal(numbers, InParts(unpacked, length));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => packed.Read(whole.Length - 1, new byte[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => unpacked.Read(1000, new byte[4]));
    }

    private static byte[] Packed(int bits, byte[] numbers)
    {
        byte[] packed = new byte[((numbers.Length * bits) + 7) / 8];
        PackedNumbers.Pack(numbers, bits, packed);
        return packed;
    }

    private static byte[] InParts(TensorData data, int length)
    {
        byte[] parts = new byte[data.ByteLength];
        for (int offset = 0; offset < parts.Length; offset += length)
        {
            data.Read(offset, parts.AsSpan(offset, Math.Min(length, parts.Length - offset)));
        }

        return parts;
    }
}
