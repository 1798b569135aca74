using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Tensors;

public sealed class DTypeLayoutTests
{
    [Theory]
    [InlineData(DType.U2, 5, 2)]
    [InlineData(DType.I2, 4, 1)]
    [InlineData(DType.F4E2M1, 3, 2)]
    [InlineData(DType.I4, 1, 1)]
    [InlineData(DType.U4, 2, 1)]
    [InlineData(DType.F6E2M3, 4, 3)]
    [InlineData(DType.F6E3M2, 5, 4)]
    [InlineData(DType.F8E4M3, 3, 3)]
    [InlineData(DType.F8E4M3Fnuz, 3, 3)]
    [InlineData(DType.F8E5M2, 3, 3)]
    [InlineData(DType.F8E5M2Fnuz, 3, 3)]
    [InlineData(DType.F8E8M0, 3, 3)]
    [InlineData(DType.I8, 3, 3)]
    [InlineData(DType.U8, 3, 3)]
    [InlineData(DType.Bool, 3, 3)]
    [InlineData(DType.F16, 3, 6)]
    [InlineData(DType.BF16, 3, 6)]
    [InlineData(DType.I16, 3, 6)]
    [InlineData(DType.U16, 3, 6)]
    [InlineData(DType.F32, 3, 12)]
    [InlineData(DType.I32, 3, 12)]
    [InlineData(DType.U32, 3, 12)]
    [InlineData(DType.F64, 3, 24)]
    [InlineData(DType.I64, 3, 24)]
    [InlineData(DType.U64, 3, 24)]
    [InlineData(DType.C64, 3, 24)]
    [InlineData(DType.C128, 3, 48)]
    public void Bytes_are_bits_rounded_up_to_whole_ones(DType dtype, long elements, long bytes)
    {
        Assert.Equal(bytes, dtype.ByteLength(new TensorShape(elements)));
        Assert.Equal(0, dtype.ByteLength(new TensorShape(0, elements)));
    }

    [Fact]
    public void Sizes_beyond_63_bits_are_an_error_and_not_a_wrap()
    {
        var shape = new TensorShape(long.MaxValue);
        Assert.Equal(long.MaxValue, DType.U8.ByteLength(shape));
        Assert.Equal(1L << 62, DType.U4.ByteLength(shape));
        Assert.Throws<OverflowException>(() => DType.U16.ByteLength(shape));
        Assert.Throws<OverflowException>(() => DType.C128.ByteLength(shape));
    }

    [Fact]
    public void Text_has_no_fixed_size() => Assert.Throws<ArgumentException>(() => DType.String.BitsPerElement());
}
