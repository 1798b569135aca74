using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Rewriting;

public sealed class TransposedTensorDataTests
{
    public static TheoryData<int, int, int, int> Sizes { get; } = [.. from size in (int[])[1, 2, 4]
        from shape in ((int, int)[])[(1, 1), (1, 7), (7, 1), (5, 9), (300, 1000)]
        from block in (int[])[1, 100, 1 << 20]
        where shape.Item1 < 300 || block > 100
        select (shape.Item1, shape.Item2, size, block)];

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Every_element_stands_across(int rows, int columns, int elementSize, int blockBytes)
    {
        byte[] bytes = new byte[rows * columns * elementSize];
        new Random(1).NextBytes(bytes);
        byte[] expected = new byte[bytes.Length];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                bytes.AsSpan(((i * columns) + j) * elementSize, elementSize).CopyTo(expected.AsSpan(((j * rows) + i) * elementSize));
            }
        }

        var data = new TransposedTensorData(() => new MemoryTensorData(bytes), rows, columns, elementSize, blockBytes);
        Assert.Equal(bytes.Length, data.ByteLength);
        using var stream = new MemoryStream();
        await data.CopyToAsync(stream, TestContext.Current.CancellationToken);
        Assert.Equal(expected, stream.ToArray());

        int part = Math.Max(1, expected.Length / 3);
        byte[] parts = new byte[expected.Length];
        for (int offset = 0; offset < parts.Length; offset += part)
        {
            data.Read(offset, parts.AsSpan(offset, Math.Min(part, parts.Length - offset)));
        }

        Assert.Equal(expected, parts);
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Read(1, new byte[expected.Length]));
    }
}
