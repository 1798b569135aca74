using System.Globalization;
using Condense.Models.Formats.Numpy;
using Condense.Models.Tensors;
using Condense.Models.Tests.Formats.Safetensors;
using Xunit;
using static Condense.Models.ModelFormatError;

namespace Condense.Models.Tests.Formats.Numpy;

public sealed class NpyReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    // What is wrong, the header, bytes of data, the code.
    public static TheoryData<string, string, int, ModelFormatError> Headers { get; } = new()
    {
        { "nothing", "", 0, InvalidHeader },
        { "only white space", "   \n", 0, InvalidHeader },
        { "no dictionary", "('<f4', False, (2, 3))", 24, InvalidHeader },
        { "an expression", "{'descr': '<f4', 'fortran_order': False, 'shape': (2+0, 3), }", 24, InvalidHeader },
        { "a call", "{'descr': str('<f4'), 'fortran_order': False, 'shape': (2, 3), }", 24, InvalidHeader },
        { "no descr", "{'fortran_order': False, 'shape': (2, 3), }", 24, InvalidHeader },
        { "no order", "{'descr': '<f4', 'shape': (2, 3), }", 24, InvalidHeader },
        { "no shape", "{'descr': '<f4', 'fortran_order': False, }", 24, InvalidHeader },
        { "another key", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': 1}", 24, InvalidHeader },
        { "descr twice", "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24, InvalidHeader },
        { "shape twice", "{'descr': '<f4', 'shape': (2, 3), 'fortran_order': False, 'shape': (2, 3), }", 24, InvalidHeader },
        { "text behind", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }x", 24, InvalidHeader },
        { "no closing brace", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), ", 24, InvalidHeader },
        { "no comma", "{'descr': '<f4' 'fortran_order': False, 'shape': (2, 3), }", 24, InvalidHeader },
        { "string without end", "{'descr: <f4, ", 24, InvalidHeader },
        { "escape in a string", "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (2, 3), }", 24, InvalidHeader },
        { "order is a number", "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }", 24, InvalidHeader },
        { "order in small letters", "{'descr': '<f4', 'fortran_order': false, 'shape': (2, 3), }", 24, InvalidHeader },
        { "shape is a list", "{'descr': '<f4', 'fortran_order': False, 'shape': [2, 3], }", 24, InvalidHeader },
        { "shape is a number", "{'descr': '<f4', 'fortran_order': False, 'shape': (6), }", 24, InvalidHeader },
        { "negative dimension", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3), }", 24, InvalidHeader },
        { "dimension with a fraction", "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0, 3), }", 24, InvalidHeader },
        { "dimension with a leading zero", "{'descr': '<f4', 'fortran_order': False, 'shape': (02, 3), }", 24, InvalidHeader },
        { "nested shape", "{'descr': '<f4', 'fortran_order': False, 'shape': ((2, 3),), }", 24, InvalidHeader },
        { "two commas", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,, 3), }", 24, InvalidHeader },
        { "65 dimensions", "{'descr': '<f4', 'fortran_order': False, 'shape': (" + string.Concat(Enumerable.Repeat("1, ", 65)) + "), }", 4, InvalidHeader },
        { "dimension beyond 63 bits", "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,), }", 0, ValidationOverflow },
        { "dimension of a thousand digits", "{'descr': '<f4', 'fortran_order': False, 'shape': (1" + new string('0', 1_000) + ",), }", 0, ValidationOverflow },
        { "elements overflow", "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0, ValidationOverflow },
        { "bytes overflow", "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904,), }", 0, ValidationOverflow },
        { "objects", "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", 24, UnsafePickle },
        { "objects of 8 bytes", "{'descr': '<O8', 'fortran_order': False, 'shape': (2, 3), }", 24, UnsafePickle },
        { "records", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", 24, UnknownDType },
        { "text", "{'descr': '<U4', 'fortran_order': False, 'shape': (2, 3), }", 96, UnknownDType },
        { "bytes", "{'descr': '|S4', 'fortran_order': False, 'shape': (2, 3), }", 24, UnknownDType },
        { "dates", "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (2, 3), }", 48, UnknownDType },
        { "raw bytes, as bf16 of other packages", "{'descr': '|V2', 'fortran_order': False, 'shape': (2, 3), }", 12, UnknownDType },
        { "extended precision", "{'descr': '<f16', 'fortran_order': False, 'shape': (2, 3), }", 96, UnknownDType },
        { "f4 without an order", "{'descr': '|f4', 'fortran_order': False, 'shape': (2, 3), }", 24, UnknownDType },
        { "the machine's own order", "{'descr': '=f4', 'fortran_order': False, 'shape': (2, 3), }", 24, UnknownDType },
        { "a name", "{'descr': 'float32', 'fortran_order': False, 'shape': (2, 3), }", 24, UnknownDType },
        { "no dtype", "{'descr': '', 'fortran_order': False, 'shape': (2, 3), }", 24, UnknownDType },
        { "data cut", NpyBytes.Header, 23, Truncated },
        { "no data", NpyBytes.Header, 0, Truncated },
        { "data behind", NpyBytes.Header, 25, MetadataIncompleteBuffer },
        { "data of an empty array", "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9), }", 4, MetadataIncompleteBuffer },
        { "far more than the file", "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }", 4, Truncated },
    };

    public static TheoryData<string, byte[], ModelFormatError> Beginnings { get; } = new()
    {
        { "magic alone", [0x93, .. "NUMPY"u8], HeaderTooSmall },
        { "no length", [0x93, .. "NUMPY"u8, 1, 0, 9], HeaderTooSmall },
        { "short length of version 2", [0x93, .. "NUMPY"u8, 2, 0, 9, 0, 0], HeaderTooSmall },
        { "version 1.1", NpyBytes.Of(NpyBytes.Header, new byte[24], 1, 1), UnsupportedVersion },
        { "version 0.0", NpyBytes.Of(NpyBytes.Header, new byte[24], 0, 0), UnsupportedVersion },
        { "version 4.0", NpyBytes.Of(NpyBytes.Header, new byte[24], 4, 0), UnsupportedVersion },
        { "header past the file", NpyBytes.Of(NpyBytes.Header, new byte[24], length: 400), InvalidHeaderLength },
        { "header of 4 GiB", NpyBytes.Of(NpyBytes.Header, new byte[24], 2, 0, uint.MaxValue), HeaderTooLarge },
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Arrays_of_every_dtype_and_order_are_those_that_NumPy_wrote()
    {
        string[][] lines = Expectations.Read("numpy-arrays.tsv");
        Assert.Equal(209, lines.Length);
        foreach (string[] line in lines)
        {
            using var model = Open(Convert.FromBase64String(line[1]));
            var tensor = Assert.Single(model.Tensors);
            long[] shape = [.. line[3].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(text => long.Parse(text, CultureInfo.InvariantCulture))];
            Assert.Equal((line[0], "array", line[2], new TensorShape(shape)), (line[0], tensor.Name, tensor.DType.ToString(), tensor.Shape));
            Assert.Equal((line[0], line[4]), (line[0], Convert.ToBase64String(SafetensorsBytes.BytesOf(tensor))));
        }
    }

    [Fact]
    public async Task Arrays_are_written_as_NumPy_writes_them()
    {
        // Of those lines, the ones that are in the order that is written, and of the version that NumPy takes by itself.
        var lines = Expectations.Read("numpy-arrays.tsv").Where(line => line[0][0] is '<' or '|' && line[0].EndsWith('C')).ToArray();
        Assert.Equal(70, lines.Length);
        foreach (string[] line in lines)
        {
            using var model = Open(Convert.FromBase64String(line[1]));
            string path = _folder.PathOf("copy.npy");
            Assert.Equal([path], await ModelWriter.WriteAsync(model, path, TestContext.Current.CancellationToken));
            Assert.Equal((line[0], line[1]), (line[0], Convert.ToBase64String(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken))));
            Assert.Equal(ModelWriter.Measure(model), new FileInfo(path).Length);
        }
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public void A_broken_header_is_refused_with_its_cause(string what, string header, int dataBytes, ModelFormatError code)
    {
        byte[] bytes = NpyBytes.Of(header, new byte[dataBytes]);
        var refusal = Assert.Throws<ModelFormatException>(() => Open(bytes));
        Assert.Equal((what, code), (what, refusal.Code));
        Assert.Equal("array", refusal.Tensor);
        Assert.InRange(refusal.Offset ?? 0, 0, bytes.Length);
    }

    [Theory]
    [MemberData(nameof(Beginnings))]
    public void A_broken_beginning_is_refused_with_its_cause(string what, byte[] bytes, ModelFormatError code) =>
        Assert.Equal((what, code), (what, Assert.Throws<ModelFormatException>(() => Open(bytes)).Code));

    [Theory]
    [InlineData("{\"shape\":(2L,3L),\"descr\":\"<f4\",\"fortran_order\":False}")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}          \n")]
    [InlineData("  {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3,), }\n")]
    public void What_other_writers_vary_is_read(string header)
    {
        using var model = Open(NpyBytes.Of(header, new byte[24]));
        Assert.Equal(new TensorShape(2, 3), model.Tensors[0].Shape);
        Assert.Equal(ModelFormat.Npy, model.Format);
    }

    [Fact]
    public void A_header_that_could_be_taken_for_safetensors_is_not()
    {
        // A length of white space, then the brace.
        string header = NpyBytes.Header.PadRight(0x2020 - 1) + "\n";
        using var model = Open(NpyBytes.Of(header, new byte[24]));
        Assert.Equal(ModelFormat.Npy, model.Format);
    }

    [Fact]
    public void Of_objects_the_message_says_why_and_what_to_do()
    {
        var refusal = Assert.Throws<ModelFormatException>(() => Open(NpyBytes.Of("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", new byte[8])));
        Assert.Contains("pickle", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("numpy.save", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fortran_order_with_enormous_rows_is_refused_before_anything_is_allocated()
    {
        // 2×2³⁰ bytes and more, sparse on the disk: nothing but the header is written.
        string path = _folder.Write("f", NpyBytes.Of("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 1073741825), }", []));
        using (var file = File.OpenWrite(path))
        {
            file.SetLength(file.Length + (2L * 1_073_741_825));
        }

        var refusal = Assert.Throws<ModelFormatException>(() => ModelReader.Open(ModelParts.Single(path), ReadLimits.Default));
        Assert.Equal(LimitExceeded, refusal.Code);
        Assert.Contains("ascontiguousarray", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Identify_says_what_the_header_says()
    {
        string path = _folder.Write("a", NpyBytes.Of(NpyBytes.Header, new byte[24]));
        Assert.Equal(new ModelIdentity(ModelFormat.Npy, 1, null, ""), ModelReader.Identify(ModelParts.Single(path), ReadLimits.Default));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 7)]
    [InlineData(4, 24)]
    [InlineData(4, 100)]
    [InlineData(8, 1_000_000)]
    [InlineData(16, 500)]
    public void Any_part_of_an_array_in_Fortran_order_is_that_of_the_definition(int elementSize, int blockBytes)
    {
        long[] dimensions = [5, 3, 4, 2];
        int count = 120;
        byte[] stored = new byte[count * elementSize];
        new Random(elementSize).NextBytes(stored);
        byte[] expected = new byte[stored.Length];
        for (int place = 0; place < count; place++)
        {
            // Row-major place → indices → Fortran place.
            long rest = place;
            long fortran = 0;
            for (int axis = 3; axis >= 0; axis--)
            {
                long stride = dimensions.Take(axis).Aggregate(1L, (product, dimension) => product * dimension);
                fortran += rest % dimensions[axis] * stride;
                rest /= dimensions[axis];
            }

            stored.AsSpan((int)fortran * elementSize, elementSize).CopyTo(expected.AsSpan(place * elementSize));
        }

        var data = new FortranTensorData(new MemoryTensorData(stored), new TensorShape(dimensions), elementSize, blockBytes);
        AssertReads(expected, data);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Any_part_of_swapped_numbers_is_that_of_the_definition(int size)
    {
        byte[] stored = new byte[8 * 9];
        new Random(size).NextBytes(stored);
        byte[] expected = [.. stored.Chunk(size).SelectMany(number => number.Reverse())];
        AssertReads(expected, new SwappedTensorData(new MemoryTensorData(stored), size));
    }

    private static void AssertReads(byte[] expected, TensorData data)
    {
        Assert.Equal(expected.Length, data.ByteLength);
        for (int start = 0; start <= expected.Length; start += 3)
        {
            for (int length = 0; length <= expected.Length - start; length += 5)
            {
                byte[] part = new byte[length];
                data.Read(start, part);
                Assert.Equal(expected[start..(start + length)], part);
            }
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => data.Read(expected.Length, new byte[1]));
    }

    private Model Open(byte[] bytes) => ModelReader.Open(ModelParts.Single(_folder.Write("array", bytes)), ReadLimits.Default);
}
