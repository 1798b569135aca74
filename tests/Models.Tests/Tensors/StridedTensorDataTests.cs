using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Tensors;

public sealed class StridedTensorDataTests
{
    // Views of every kind at random (permuted, stepped, repeated, overlapping), read in parts of every size through blocks of every size, against
    // the definition: element (i, j, …) is the stored one of index first + Σ i·stride.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    public void Views_are_what_their_definition_says(int elementBytes)
    {
        var random = new Random(elementBytes);
        for (int view = 0; view < 300; view++)
        {
            long[] sizes = [.. Enumerable.Range(0, random.Next(5)).Select(_ => (long)random.Next(1, 6))];
            long[] strides = [.. sizes.Select(_ => (long)random.Next(0, 9))];
            long first = random.Next(10);
            byte[] stored = new byte[(first + sizes.Zip(strides).Sum(axis => (axis.First - 1) * axis.Second) + 1 + random.Next(3)) * elementBytes];
            random.NextBytes(stored);
            byte[] expected = ByDefinition(stored, elementBytes, first, sizes, strides);
            int blockBytes = random.Next(3) == 0 ? StridedTensorData.BlockBytes : random.Next(1, 100);

            var data = new StridedTensorData(new MemoryTensorData(stored), elementBytes, first, sizes, strides, blockBytes);

            Assert.Equal(expected.Length, data.ByteLength);
            for (int part = 0; part < 10; part++)
            {
                int start = part == 0 ? 0 : random.Next(expected.Length + 1);
                byte[] actual = new byte[part == 0 ? expected.Length : random.Next(expected.Length - start + 1)];
                data.Read(start, actual);
                Assert.True(
                    expected.AsSpan(start, actual.Length).SequenceEqual(actual),
                    $"{elementBytes} bytes, first {first}, sizes {string.Join('×', sizes)}, strides {string.Join(',', strides)}, from byte {start}, {actual.Length} bytes, blocks of {blockBytes}.");
            }
        }
    }

    [Fact]
    public void A_large_transposed_matrix_is_read_from_parts_in_few_loads()
    {
        const int Rows = 700;
        const int Columns = 900;
        float[] stored = [.. Enumerable.Range(0, Rows * Columns).Select(i => (float)i)];
        var source = new CountingData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(stored.AsSpan()).ToArray());
        var data = new StridedTensorData(source, sizeof(float), 0, [Columns, Rows], [1, Columns]);
        byte[] turned = new byte[data.ByteLength];
        for (int row = 0; row < Columns; row += 100)
        {
            data.Read((long)row * Rows * sizeof(float), turned.AsSpan(row * Rows * sizeof(float), 100 * Rows * sizeof(float)));
        }

        // While the caller holds on to the tensor the collector may take the loaded view between two readings, but not for each of them.
        Assert.InRange(source.Loads, 1, 4);
        var values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(turned);
        for (int row = 0; row < Columns; row += 7)
        {
            for (int column = 0; column < Rows; column += 11)
            {
                Assert.Equal((column * Columns) + row, values[(row * Rows) + column]);
            }
        }
    }

    [Fact]
    public void A_slice_of_columns_loads_no_more_than_the_rows_that_are_asked_for()
    {
        var source = new CountingData(new byte[1 << 20]);
        var data = new StridedTensorData(source, 1, 512, [1024, 512], [1024, 1]);
        data.Read(512 * 100, new byte[512 * 300]);
        Assert.Equal((1, (299 * 1024) + 512), (source.Loads, source.LoadedBytes));
    }

    [Theory]
    [InlineData(new long[] { 2, 3 }, new long[] { 3, 1 }, true)]
    [InlineData(new long[] { 2, 1, 3 }, new long[] { 3, 77, 1 }, true)]
    [InlineData(new long[] { 1 }, new long[] { 5 }, true)]
    [InlineData(new long[] { }, new long[] { }, true)]
    [InlineData(new long[] { 0, 4 }, new long[] { 9, 9 }, true)]
    [InlineData(new long[] { 2, 3 }, new long[] { 1, 2 }, false)]
    [InlineData(new long[] { 2, 3 }, new long[] { 4, 1 }, false)]
    [InlineData(new long[] { 3 }, new long[] { 0 }, false)]
    public void Rows_without_gaps_are_contiguous(long[] sizes, long[] strides, bool expected) =>
        Assert.Equal(expected, StridedTensorData.IsContiguous(sizes, strides));

    [Fact]
    public void Reading_beyond_the_end_is_refused()
    {
        var data = new StridedTensorData(new MemoryTensorData(new byte[12]), 2, 0, [2, 3], [1, 2]);
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Read(11, new byte[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Read(-1, new byte[1]));
    }

    private static byte[] ByDefinition(byte[] stored, int elementBytes, long first, long[] sizes, long[] strides)
    {
        long count = sizes.Aggregate(1L, (product, size) => product * size);
        var result = new List<byte>();
        for (long element = 0; element < count; element++)
        {
            long index = first;
            long rest = element;
            for (int axis = sizes.Length - 1; axis >= 0; axis--)
            {
                index += rest % sizes[axis] * strides[axis];
                rest /= sizes[axis];
            }

            result.AddRange(stored.AsSpan((int)index * elementBytes, elementBytes));
        }

        return [.. result];
    }

    private sealed class CountingData(byte[] bytes) : TensorData
    {
        public int Loads { get; private set; }

        public long LoadedBytes { get; private set; }

        public override long ByteLength => bytes.Length;

        public override void Read(long offset, Span<byte> destination)
        {
            Loads++;
            LoadedBytes += destination.Length;
            bytes.AsSpan((int)offset, destination.Length).CopyTo(destination);
        }
    }
}
