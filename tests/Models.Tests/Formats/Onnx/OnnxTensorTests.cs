using Condense.Models.Formats.Onnx;
using Condense.Models.Tensors;
using Xunit;
using static Condense.Models.Tests.Formats.Onnx.OnnxMessages;

namespace Condense.Models.Tests.Formats.Onnx;

public sealed class OnnxTensorTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    /// <summary>Number in the file, type, and the bytes of 6 elements.</summary>
    public static TheoryData<int, DType, int> Types => new()
    {
        { 1, DType.F32, 24 }, { 2, DType.U8, 6 }, { 3, DType.I8, 6 }, { 4, DType.U16, 12 }, { 5, DType.I16, 12 }, { 6, DType.I32, 24 },
        { 7, DType.I64, 48 }, { 9, DType.Bool, 6 }, { 10, DType.F16, 12 }, { 11, DType.F64, 48 }, { 12, DType.U32, 24 }, { 13, DType.U64, 48 },
        { 14, DType.C64, 48 }, { 15, DType.C128, 96 }, { 16, DType.BF16, 12 }, { 17, DType.F8E4M3, 6 }, { 18, DType.F8E4M3Fnuz, 6 },
        { 19, DType.F8E5M2, 6 }, { 20, DType.F8E5M2Fnuz, 6 }, { 21, DType.U4, 3 }, { 22, DType.I4, 3 }, { 23, DType.F4E2M1, 3 }, { 24, DType.F8E8M0, 6 },
        { 25, DType.U2, 2 }, { 26, DType.I2, 2 },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Raw_data_of_every_type_is_read_and_written_again(int code, DType expected, int byteLength)
    {
        byte[] raw = [.. Enumerable.Range(1, byteLength).Select(i => (byte)i)];
        using var model = Read(TensorHeader("w", code, 2, 3).Bytes(9, raw));
        await OnnxWriter.WriteAsync(model, _folder.PathOf("again.onnx"), TestContext.Current.CancellationToken);
        using var again = OnnxReader.Read(ModelParts.Single(_folder.PathOf("again.onnx")), ReadLimits.Default);
        var tensor = Assert.Single(again.Tensors);

        Assert.Equal(expected, tensor.DType);
        Assert.Equal("2×3", tensor.Shape.ToString());
        Assert.Equal(raw, Bytes(tensor));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_tensor_with_a_byte_too_much_or_too_little_is_refused(int code, DType type, int byteLength)
    {
        foreach (int wrong in new[] { byteLength - 1, byteLength + 1 })
        {
            var error = _folder.Refused(ModelOf(GraphOf().Message(5, TensorHeader("w", code, 2, 3).Bytes(9, new byte[wrong]))));

            Assert.Equal(ModelFormatError.TensorInvalidInfo, error.Code);
            Assert.Equal("w", error.Tensor);
            Assert.Contains($"holds {wrong} bytes; 2×3 elements of {type} take {byteLength}", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Packed_and_single_numbers_decode_to_the_same_bytes()
    {
        byte[] expected = [.. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f), .. BitConverter.GetBytes(float.NaN)];

        AssertBytes(expected, TensorHeader("w", 1, 3).Bytes(4, expected));
        AssertBytes(expected, TensorHeader("w", 1, 3).Single(4, 1.5f).Single(4, -2).Single(4, float.NaN));
        AssertBytes(expected, TensorHeader("w", 1, 3).Bytes(4, expected.AsSpan(0, 4)).Single(4, -2).Bytes(4, expected.AsSpan(8)));

        // Other fields may stand between the numbers of a list.
        AssertBytes(expected, TensorHeader("w", 1, 3).Single(4, 1.5f).Text(12, "between").Single(4, -2).Int(77, 1).Single(4, float.NaN));
    }

    [Fact]
    public void Doubles_and_complex_numbers_decode()
    {
        byte[] doubles = [.. BitConverter.GetBytes(1.5), .. BitConverter.GetBytes(double.MinValue)];

        AssertBytes(doubles, TensorHeader("w", 11, 2).Bytes(10, doubles));
        AssertBytes(doubles, TensorHeader("w", 11, 2).Double(10, 1.5).Double(10, double.MinValue));
        AssertBytes(doubles, TensorHeader("w", 15, 1).Bytes(10, doubles));
        AssertBytes([.. BitConverter.GetBytes(2f), .. BitConverter.GetBytes(3f)], TensorHeader("w", 14, 1).Single(4, 2).Single(4, 3));
    }

    [Fact]
    public void Integers_decode_to_their_width()
    {
        AssertBytes([1, 0, 0xFF, 0xFF], TensorHeader("w", 5, 2).PackedInts(5, 1, -1));
        AssertBytes([0x80, 0x7F], TensorHeader("w", 3, 2).PackedInts(5, -128, 127));
        AssertBytes([0xFF, 0x00], TensorHeader("w", 2, 2).Ints(5, 255, 0));
        AssertBytes([1, 0, 1], TensorHeader("w", 9, 3).PackedInts(5, 256, 0, -1));
        AssertBytes([0x00, 0x3C, 0x00, 0xBC], TensorHeader("w", 10, 2).PackedInts(5, 0x3C00, 0xBC00));
        AssertBytes([0x80, 0x3F], TensorHeader("w", 16, 1).Ints(5, 0x3F80));
        AssertBytes([0x21, 0x03], TensorHeader("w", 21, 3).PackedInts(5, 0x21, 0x03));
        AssertBytes([.. BitConverter.GetBytes(long.MinValue), .. BitConverter.GetBytes(5L)], TensorHeader("w", 7, 2).PackedInts(7, long.MinValue, 5));
        AssertBytes(BitConverter.GetBytes(ulong.MaxValue), TensorHeader("w", 13, 1).PackedInts(11, -1));
        AssertBytes(BitConverter.GetBytes(uint.MaxValue), TensorHeader("w", 12, 1).PackedInts(11, uint.MaxValue));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Any_part_of_many_integers_is_read_alike(bool packed)
    {
        long[] values = [.. Enumerable.Range(0, 20_000).Select(i => (long)i * i * i * (i % 2 == 0 ? 1 : -1))];
        var header = TensorHeader("w", 7, values.Length);
        using var model = Read(packed ? header.PackedInts(7, values) : header.Ints(7, values));
        var data = Assert.Single(model.Tensors).Data;
        byte[] expected = [.. values.SelectMany(BitConverter.GetBytes)];
        byte[] part = new byte[70_001];

        Assert.Equal(expected.Length, data.ByteLength);
        Assert.Equal(expected, Bytes(model.Tensors[0]));
        foreach (int start in new[] { 0, 1, 7, 8, (4096 * 8) - 3, 4096 * 8, 80_003, expected.Length - part.Length })
        {
            data.Read(start, part);
            Assert.True(part.AsSpan().SequenceEqual(expected.AsSpan(start, part.Length)), $"from byte {start}");
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => data.Read(expected.Length - 1, new byte[2]));
    }

    [Fact]
    public void Scalars_empty_tensors_and_texts_are_read()
    {
        AssertBytes([0, 0, 0, 0], TensorHeader("w", 1).Bytes(9, 0, 0, 0, 0));
        AssertBytes([], TensorHeader("w", 1, 3, 0));
        AssertBytes([], TensorHeader("w", 1, long.MaxValue, 0));
        AssertBytes([], TensorHeader("w", 8, 0));

        // Text stays as it is encoded: tag, length, bytes.
        AssertBytes([0x32, 1, (byte)'a', 0x32, 0], TensorHeader("w", 8, 2).Text(6, "a").Text(6, ""));
    }

    [Fact]
    public void Tensors_that_contradict_themselves_are_refused()
    {
        AssertRefused(ModelFormatError.InvalidGraph, TensorHeader("w", 1, 1).Bytes(9, 0, 0, 0, 0).Single(4, 0));
        AssertRefused(ModelFormatError.InvalidGraph, TensorHeader("w", 1, 1).Bytes(9, 0, 0, 0, 0).Bytes(9, 0, 0, 0, 0));
        AssertRefused(ModelFormatError.InvalidGraph, TensorHeader("w", 1, 1).Single(4, 0).Ints(5, 0));
        AssertRefused(ModelFormatError.InvalidGraph, TensorHeader("w", 1, 1).Single(4, 0).Message(3, new ProtoMessage().Int(1, 0).Int(2, 1)));
        AssertRefused(ModelFormatError.InvalidGraph, TensorHeader("w", 8, 1).Bytes(9, 0));
        AssertRefused(ModelFormatError.InvalidGraph, TensorHeader("w", 1, 1).Bytes(9, 0, 0, 0, 0).Int(14, 2));
        AssertRefused(ModelFormatError.TensorInvalidInfo, TensorHeader("w", 1, 1).Ints(5, 0));
        AssertRefused(ModelFormatError.TensorInvalidInfo, TensorHeader("w", 1, 1));
        AssertRefused(ModelFormatError.TensorInvalidInfo, TensorHeader("w", 1, -1).Bytes(9, 0, 0, 0, 0));
        AssertRefused(ModelFormatError.TensorInvalidInfo, TensorHeader("w", 8, 2).Text(6, "a"));
        AssertRefused(ModelFormatError.UnknownDType, TensorHeader("w", 27, 1).Bytes(9, 0));
        AssertRefused(ModelFormatError.UnknownDType, TensorHeader("w", 0, 1).Bytes(9, 0));
        AssertRefused(ModelFormatError.ValidationOverflow, TensorHeader("w", 2, long.MaxValue, 2).Bytes(9, 0));
        AssertRefused(ModelFormatError.ValidationOverflow, TensorHeader("w", 7, long.MaxValue).Bytes(9, 0));
    }

    [Fact]
    public void A_packed_list_that_is_cut_within_a_number_is_refused()
    {
        var error = _folder.Refused(ModelOf(GraphOf().Message(5, TensorHeader("w", 1, 1).Bytes(4, 0, 0, 0))));
        Assert.Equal(ModelFormatError.InvalidEncoding, error.Code);

        error = _folder.Refused(ModelOf(GraphOf().Message(5, TensorHeader("w", 7, 1).Bytes(7, 0x80))));
        Assert.Equal(ModelFormatError.InvalidEncoding, error.Code);
    }

    internal static byte[] Bytes(Tensor tensor)
    {
        byte[] bytes = new byte[tensor.Data.ByteLength];
        tensor.Data.Read(0, bytes);
        return bytes;
    }

    private Model Read(ProtoMessage tensor) => _folder.Read(ModelOf(GraphOf().Message(5, tensor)));

    private void AssertBytes(byte[] expected, ProtoMessage tensor)
    {
        using var model = Read(tensor);
        Assert.Equal(expected, Bytes(Assert.Single(model.Tensors)));
    }

    private void AssertRefused(ModelFormatError code, ProtoMessage tensor)
    {
        var error = _folder.Refused(ModelOf(GraphOf().Message(5, tensor)));

        Assert.Equal(code, error.Code);
        Assert.Equal("w", error.Tensor);

        // ir_version takes two bytes; then come the tag and length of the graph, its name, and the tag and length of the tensor.
        int graphHeader = 2 + GraphOf().ToArray().Length + 2;
        Assert.InRange(error.Offset!.Value, 2 + graphHeader, 4 + graphHeader);
    }
}
