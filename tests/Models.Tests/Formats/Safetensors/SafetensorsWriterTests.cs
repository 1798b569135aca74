using System.Text;
using Condense.Models.Formats.Safetensors;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Models.Tests.Formats.Safetensors;

public sealed class SafetensorsWriterTests
{
    public static TheoryData<DType> DTypes { get; } =
        [.. Enum.GetValues<DType>().Where(dtype => SafetensorsDTypes.NameOf(dtype) is not null)];

    [Theory]
    [MemberData(nameof(DTypes))]
    public async Task Every_dtype_and_kind_of_shape_comes_back_as_it_was(DType dtype)
    {
        bool wholeBytes = dtype.BitsPerElement() % 8 == 0;
        List<Tensor> tensors =
        [
            SafetensorsBytes.Tensor("matrix", dtype, 3, 8),
            SafetensorsBytes.Tensor("empty", dtype, 2, 0, 5),
            SafetensorsBytes.Tensor("vector", dtype, 16),
            SafetensorsBytes.Tensor("deep", dtype, 1, 2, 1, 4, 1),
        ];
        if (wholeBytes)
        {
            tensors.Add(SafetensorsBytes.Tensor("scalar", dtype));
        }

        var (read, bytes) = await RoundTrip(SafetensorsBytes.Model(tensors));
        using (read)
        {
            Assert.Equal(tensors.Count, read.Tensors.Length);
            foreach (var (expected, actual) in tensors.Zip(read.Tensors))
            {
                Assert.Equal((expected.Name, expected.DType, expected.Shape), (actual.Name, actual.DType, actual.Shape));
                Assert.Equal(SafetensorsBytes.BytesOf(expected), SafetensorsBytes.BytesOf(actual));
            }

            Assert.Equal(0, BitConverter.ToInt64(bytes) % 8);
        }
    }

    [Fact]
    public async Task Names_and_metadata_keep_every_character()
    {
        string[] texts = ["plain", "Straße 東京 😀", "a\"b\\c/d", "\u0000\u001f\u007f\u2028\uFFFF", "</script>", ""];
        var original = SafetensorsBytes.Model(
            texts.Select(text => SafetensorsBytes.Tensor(text, DType.U8, 2)),
            [.. texts.Select(text => ("key " + text, "value " + text))]);

        var (read, _) = await RoundTrip(original);
        using (read)
        {
            Assert.Equal(texts, read.Tensors.Select(tensor => tensor.Name));
            Assert.Equal(original.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal), read.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task The_bytes_are_those_of_the_reference_implementation()
    {
        var (read, bytes) = await RoundTrip(SafetensorsBytes.Model([SafetensorsBytes.Tensor("attn0", DType.F32, 1, 1, 2, 3)]));
        using (read)
        {
            // The reference implementation's own test of a padded header.
            Assert.Equal("""{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       """, Encoding.UTF8.GetString(bytes, 8, 72));
            Assert.Equal(72, BitConverter.ToInt64(bytes));
            Assert.Equal(8 + 72 + 24, bytes.Length);
        }

        var (empty, nothing) = await RoundTrip(SafetensorsBytes.Model([]));
        using (empty)
        {
            Assert.Equal([8, 0, 0, 0, 0, 0, 0, 0, .. "{}      "u8], nothing);
        }
    }

    [Fact]
    public async Task Equal_models_give_equal_bytes_whatever_the_order_of_their_metadata()
    {
        Tensor[] tensors = [SafetensorsBytes.Tensor("b", DType.I64, 3), SafetensorsBytes.Tensor("a", DType.U8, 5)];
        var (first, bytes) = await RoundTrip(SafetensorsBytes.Model(tensors, ("x", "1"), ("é", "2"), ("Y", "3")));
        var (second, swapped) = await RoundTrip(SafetensorsBytes.Model(tensors, ("Y", "3"), ("é", "2"), ("x", "1")));
        var (third, again) = await RoundTrip(first);
        using (first)
        using (second)
        using (third)
        {
            Assert.Equal(bytes, swapped);
            Assert.Equal(bytes, again);
        }
    }

    [Fact]
    public async Task A_replaced_file_keeps_nothing_of_the_old_one()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("model", new byte[10_000]);
        var model = SafetensorsBytes.Model([SafetensorsBytes.Tensor("a", DType.U8, 5)]);

        var paths = await ModelWriter.WriteAsync(model, path, TestContext.Current.CancellationToken);

        Assert.Equal([path], paths);
        Assert.Equal(ModelWriter.Measure(model), new FileInfo(path).Length);
    }

    [Fact]
    public async Task Tensors_stream_through_a_small_buffer()
    {
        using var folder = new TemporaryFolder();
        var data = new ZeroData(96L << 20);
        var model = SafetensorsBytes.Model([new Tensor("a", DType.U8, new TensorShape(data.ByteLength), data)]);
        Assert.True(ModelWriter.Measure(model) > data.ByteLength);
        Assert.Equal(0, data.LargestRead);

        await ModelWriter.WriteAsync(model, folder.PathOf("model"), TestContext.Current.CancellationToken);

        Assert.InRange(data.LargestRead, 1, 1 << 20);
        Assert.Equal(ModelWriter.Measure(model), new FileInfo(folder.PathOf("model")).Length);
    }

    [Fact]
    public async Task Writing_stops_between_two_buffers_when_it_is_canceled()
    {
        using var folder = new TemporaryFolder();
        using var cancellation = new CancellationTokenSource();
        var data = new ZeroData(16L << 20) { Reading = cancellation.Cancel };
        var model = SafetensorsBytes.Model([new Tensor("a", DType.U8, new TensorShape(data.ByteLength), data)]);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ModelWriter.WriteAsync(model, folder.PathOf("model"), cancellation.Token));

        Assert.Equal(1, data.Reads);
    }

    [Fact]
    public async Task What_no_reader_would_take_is_not_written()
    {
        using var folder = new TemporaryFolder();
        Tensor[][] wrong =
        [
            [SafetensorsBytes.Tensor("a", DType.U8, 1), SafetensorsBytes.Tensor("a", DType.U8, 1)],
            [SafetensorsBytes.Tensor("__metadata__", DType.U8, 1)],
            [SafetensorsBytes.Tensor("a", DType.I4, 2)],
            [SafetensorsBytes.Tensor("a", DType.F4E2M1, 3)],
            [new Tensor("a", DType.U8, new TensorShape(2), new MemoryTensorData(new byte[3]))],
        ];
        foreach (var tensors in wrong)
        {
            var model = SafetensorsBytes.Model(tensors);
            Assert.Throws<ArgumentException>(() => ModelWriter.Measure(model));
            await Assert.ThrowsAsync<ArgumentException>(
                () => ModelWriter.WriteAsync(model, folder.PathOf("model"), TestContext.Current.CancellationToken));
            Assert.False(File.Exists(folder.PathOf("model")));
        }
    }

    private static async Task<(Model Read, byte[] Bytes)> RoundTrip(Model model)
    {
        using var folder = new TemporaryFolder();
        string path = folder.PathOf("model.safetensors");
        await ModelWriter.WriteAsync(model, path, TestContext.Current.CancellationToken);
        byte[] bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(bytes.Length, ModelWriter.Measure(model));

        // An open file outlives its name.
        return (ModelReader.Open(ModelParts.Single(path), ReadLimits.Default), bytes);
    }

    // Zeros that say how they were asked for.
    private sealed class ZeroData(long byteLength) : TensorData
    {
        public override long ByteLength => byteLength;

        public Action? Reading { get; init; }

        public int LargestRead { get; private set; }

        public int Reads { get; private set; }

        public override void Read(long offset, Span<byte> destination)
        {
            Reading?.Invoke();
            Reads++;
            LargestRead = Math.Max(LargestRead, destination.Length);
            destination.Clear();
        }
    }
}
