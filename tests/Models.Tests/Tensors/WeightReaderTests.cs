using System.Runtime.InteropServices;
using Condense.Models.Graph;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Tensors;

public sealed class WeightReaderTests
{
    public static TheoryData<DType> FloatingDTypes { get; } = [.. Enum.GetValues<DType>().Where(dtype => dtype.IsFloatingPoint())];

    // Shapes around the edges of tiles (4080 wide, 512 KiB) and of groups of packed elements.
    public static TheoryData<int, int> Shapes { get; } = new()
    {
        { 1, 1 }, { 1, 7 }, { 7, 1 }, { 3, 5 }, { 8, 8 }, { 9, 17 }, { 33, 31 }, { 4079, 33 }, { 4080, 32 }, { 4081, 33 }, { 8161, 40 }, { 5, 30000 }, { 1, 131073 }, { 131073, 1 },
    };

    [Theory]
    [MemberData(nameof(FloatingDTypes))]
    public void Every_dtype_reads_straight_and_turned(DType dtype)
    {
        foreach (var (rows, columns) in new[] { (3, 5), (5, 3), (7, 7), (4081, 33), (131, 2003) })
        {
            var tensor = Random(dtype, rows, columns);
            float[] expected = Decode(tensor);

            var straight = WeightReader.Read(LayerOf(tensor, rows, columns, transposed: false));
            var turned = WeightReader.Read(LayerOf(tensor, columns, rows, transposed: true));

            Assert.Equal(expected, straight.Values);
            Assert.Equal(Transpose(expected, rows, columns), turned.Values);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Transposition_is_right_around_every_edge_of_its_tiles(int rows, int columns)
    {
        foreach (var dtype in new[] { DType.F32, DType.F16, DType.F6E3M2, DType.F4E2M1 })
        {
            var tensor = Random(dtype, columns, rows);

            var matrix = WeightReader.Read(LayerOf(tensor, rows, columns, transposed: true));

            Assert.Equal((rows, columns), (matrix.Rows, matrix.Columns));
            Assert.True(Transpose(Decode(tensor), columns, rows).AsSpan().SequenceEqual(matrix.Values));
        }
    }

    [Fact]
    public void Kernels_fold_into_columns()
    {
        var tensor = Random(DType.F32, 6, 2, 3, 3);

        var matrix = WeightReader.Read(LayerOf(tensor, 6, 18, transposed: false));

        Assert.Equal(Decode(tensor), matrix.Values);
        Assert.Equal(Decode(tensor)[(4 * 18) + 7], matrix[4, 7]);
    }

    [Fact]
    public void Empty_weights_are_empty_matrices()
    {
        Assert.Empty(WeightReader.Read(LayerOf(Random(DType.F32, 0, 4), 0, 4, transposed: false)).Values);
        Assert.Empty(WeightReader.Read(LayerOf(Random(DType.BF16, 0, 4), 4, 0, transposed: true)).Values);
    }

    [Fact]
    public void What_is_no_matrix_of_floats_is_refused()
    {
        Assert.Throws<ArgumentException>(() => WeightReader.Read(LayerOf(Random(DType.I32, 2, 2), 2, 2, transposed: false)));
        Assert.Throws<ArgumentException>(() => WeightReader.Read(LayerOf(Random(DType.F32, 2, 2), 2, 3, transposed: false)));
    }

    [Theory]
    [InlineData(DType.F32, false)]
    [InlineData(DType.F32, true)]
    [InlineData(DType.F16, false)]
    [InlineData(DType.F16, true)]
    public void Memory_is_the_matrix_and_a_small_buffer(DType dtype, bool transposed)
    {
        var layer = LayerOf(Random(dtype, 2048, 1024), transposed ? 1024 : 2048, transposed ? 2048 : 1024, transposed);
        WeightReader.Read(layer);
        long before = GC.GetAllocatedBytesForCurrentThread();

        var matrix = WeightReader.Read(layer);

        long buffers = GC.GetAllocatedBytesForCurrentThread() - before - (matrix.Values.Length * 4L);
        Assert.InRange(buffers, 0, (1 << 20) + 4096);
    }

    [Theory]
    [InlineData(DType.F64, 0x7FF0000000000000, 8)]
    [InlineData(DType.F64, 0xFFF8000000000001, 8)]
    [InlineData(DType.F32, 0x7F800000, 4)]
    [InlineData(DType.F32, 0xFFC00000, 4)]
    [InlineData(DType.F16, 0x7C00, 2)]
    [InlineData(DType.F16, 0xFE00, 2)]
    [InlineData(DType.BF16, 0xFF80, 2)]
    [InlineData(DType.BF16, 0x7FC0, 2)]
    [InlineData(DType.F8E4M3, 0x7F, 1)]
    [InlineData(DType.F8E4M3Fnuz, 0x80, 1)]
    [InlineData(DType.F8E5M2, 0xFC, 1)]
    [InlineData(DType.F8E5M2Fnuz, 0x80, 1)]
    [InlineData(DType.F8E8M0, 0xFF, 1)]
    public void The_first_non_finite_element_is_found_wherever_it_is(DType dtype, ulong code, int width)
    {
        const int Elements = 150_001;
        byte[] bytes = new byte[Elements * width];
        var tensor = new Tensor("w", dtype, new TensorShape(Elements), new MemoryTensorData(bytes));
        Assert.Equal(-1, WeightReader.FindNonFinite(tensor));
        foreach (int index in new[] { Elements - 1, 131_072, 65_536, 65_535, 1, 0 })
        {
            BitConverter.GetBytes(code).AsSpan(0, width).CopyTo(bytes.AsSpan(index * width));
            Assert.Equal(index, WeightReader.FindNonFinite(tensor));
        }
    }

    [Fact]
    public void Doubles_beyond_the_range_of_f32_are_finite()
    {
        double[] values = [1e300, -1e300, double.MaxValue];
        var tensor = new Tensor("w", DType.F64, new TensorShape(3), new MemoryTensorData(MemoryMarshal.AsBytes(values.AsSpan()).ToArray()));
        Assert.Equal(-1, WeightReader.FindNonFinite(tensor));
    }

    [Theory]
    [InlineData(DType.C64, 4)]
    [InlineData(DType.C128, 8)]
    public void A_complex_number_counts_as_one_element(DType dtype, int width)
    {
        byte[] bytes = new byte[10 * width];
        bytes.AsSpan(7 * width, width).Fill(0xFF);
        Assert.Equal(3, WeightReader.FindNonFinite(new Tensor("w", dtype, new TensorShape(5), new MemoryTensorData(bytes))));
    }

    [Theory]
    [InlineData(DType.I64)]
    [InlineData(DType.U8)]
    [InlineData(DType.Bool)]
    [InlineData(DType.F4E2M1)]
    public void Types_without_infinities_have_none(DType dtype)
    {
        byte[] bytes = new byte[dtype.ByteLength(new TensorShape(64))];
        Array.Fill(bytes, (byte)0xFF);
        Assert.Equal(-1, WeightReader.FindNonFinite(new Tensor("w", dtype, new TensorShape(64), new MemoryTensorData(bytes))));
    }

    private static Layer LayerOf(Tensor tensor, int rows, int columns, bool transposed) =>
        new() { Name = tensor.Name, Tensor = tensor, Role = WeightRole.Linear, Rows = rows, Columns = columns, Transposed = transposed };

    private static Tensor Random(DType dtype, params long[] dimensions)
    {
        var shape = new TensorShape(dimensions);
        byte[] bytes = new byte[dtype.ByteLength(shape)];
        new Random(17).NextBytes(bytes);
        return new Tensor("w", dtype, shape, new MemoryTensorData(bytes));
    }

    private static float[] Decode(Tensor tensor)
    {
        byte[] bytes = new byte[tensor.Data.ByteLength];
        tensor.Data.Read(0, bytes);
        float[] values = new float[tensor.Shape.ElementCount];
        FloatDecoder.Decode(tensor.DType, bytes, skip: 0, values);
        return values;
    }

    private static float[] Transpose(float[] values, int rows, int columns)
    {
        float[] result = new float[values.Length];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                result[(column * rows) + row] = values[(row * columns) + column];
            }
        }

        return result;
    }
}
