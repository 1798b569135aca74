using System.Text;
using Condense.Models.Formats.Safetensors;
using Xunit;
using static Condense.Models.ModelFormatError;

namespace Condense.Models.Tests.Formats.Safetensors;

public sealed class HostileHeaderTests
{
    private const string A = """ "a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]} """;

    // What is wrong, header, bytes of data, code, offset in the file, tensor.
    public static TheoryData<string, string, int, ModelFormatError, long?, string?> Headers { get; } = new()
    {
        { "nothing", "", 0, InvalidHeaderDeserialization, 8, null },
        { "only white space", "        ", 0, InvalidHeaderDeserialization, null, null },
        { "no object", "[]", 0, InvalidHeaderDeserialization, 8, null },
        { "cut object", "{", 0, InvalidHeaderDeserialization, null, null },
        { "text after the object", "{}x", 0, InvalidHeaderDeserialization, null, null },
        { "second object", "{}{}", 0, InvalidHeaderDeserialization, null, null },
        { "trailing comma", "{" + A + ",}", 4, InvalidHeaderDeserialization, null, null },
        { "comment", "{/* */}", 0, InvalidHeaderDeserialization, null, null },
        { "byte-order mark", "\uFEFF{}", 0, InvalidHeaderDeserialization, 8, null },
        { "zero byte at the end", "{}\0", 0, InvalidHeaderDeserialization, null, null },
        { "half a surrogate pair", """{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, InvalidHeaderDeserialization, 9, null },
        { "entry is a string", """{"a":"F32"}""", 0, InvalidHeaderDeserialization, 13, "a" },
        { "entry is null", """{"a":null}""", 0, InvalidHeaderDeserialization, 13, "a" },
        { "entry is an array", """{"a":["F32",[1],[0,4]]}""", 4, InvalidHeaderDeserialization, 13, "a" },
        { "no dtype", """{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, InvalidHeaderDeserialization, 9, "a" },
        { "no shape", """{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4, InvalidHeaderDeserialization, 9, "a" },
        { "no offsets", """{"a":{"dtype":"F32","shape":[1]}}""", 4, InvalidHeaderDeserialization, 9, "a" },
        { "unknown key", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"code":"x"}}""", 4, InvalidHeaderDeserialization, 61, "a" },
        { "dtype is a number", """{"a":{"dtype":32,"shape":[1],"data_offsets":[0,4]}}""", 4, InvalidHeaderDeserialization, 22, "a" },
        { "unknown dtype", """{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}""", 4, UnknownDType, 22, "a" },
        { "dtype in lower case", """{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}""", 4, UnknownDType, 22, "a" },
        { "negative dimension", """{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, InvalidHeaderDeserialization, 37, "a" },
        { "dimension with a fraction", """{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}""", 4, InvalidHeaderDeserialization, 37, "a" },
        { "dimension with an exponent", """{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}""", 4, InvalidHeaderDeserialization, 37, "a" },
        { "dimension is a string", """{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""", 4, InvalidHeaderDeserialization, 37, "a" },
        { "dimension of 65 bits", """{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}}""", 4, InvalidHeaderDeserialization, 37, "a" },
        { "shape is nested", """{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}""", 4, InvalidHeaderDeserialization, 37, "a" },
        { "one offset", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}""", 4, InvalidHeaderDeserialization, 57, "a" },
        { "three offsets", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}""", 4, InvalidHeaderDeserialization, 60, "a" },
        { "negative offset", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", 4, InvalidHeaderDeserialization, 56, "a" },
        { "metadata is an array", """{"__metadata__":[]}""", 0, InvalidHeaderDeserialization, 24, null },
        { "metadata value is a number", """{"__metadata__":{"a":1}}""", 0, InvalidHeaderDeserialization, 29, null },
        { "metadata value is an object", """{"__metadata__":{"a":{}}}""", 0, InvalidHeaderDeserialization, 29, null },
        { "tensor twice", "{" + A + "," + A + "}", 4, DuplicateName, 65, "a" },
        { "tensor twice, once escaped", "{" + A + ""","\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, DuplicateName, 64, "a" },
        { "dtype twice", """{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, DuplicateName, 28, "a" },
        { "shape twice", """{"a":{"shape":[1],"shape":[1],"dtype":"F32","data_offsets":[0,4]}}""", 4, DuplicateName, 26, "a" },
        { "offsets twice", """{"a":{"data_offsets":[0,4],"data_offsets":[0,4],"dtype":"F32","shape":[1]}}""", 4, DuplicateName, 35, "a" },
        { "metadata twice", """{"__metadata__":{},"__metadata__":{}}""", 0, DuplicateName, 27, "__metadata__" },
        { "metadata key twice", """{"__metadata__":{"k":"1","k":"2"}}""", 0, DuplicateName, 33, null },
        { "gap before the first", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, InvalidOffset, 9, "a" },
        { "gap between", "{" + A + ""","b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12, InvalidOffset, 64, "b" },
        { "overlap", "{" + A + ""","b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, InvalidOffset, 64, "b" },
        { "same range twice", "{" + A + ""","b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, InvalidOffset, 64, "b" },
        { "end before start", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, InvalidOffset, 9, "a" },
        { "too few bytes for the shape", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, TensorInvalidInfo, 9, "a" },
        { "too many bytes for the shape", """{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,4]}}""", 4, TensorInvalidInfo, 9, "a" },
        { "empty tensor with bytes", """{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,4]}}""", 4, TensorInvalidInfo, 9, "a" },
        { "three nibbles", """{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}""", 1, TensorInvalidInfo, 9, "a" },
        { "18 bits of 6-bit floats", """{"a":{"dtype":"F6_E2M3","shape":[3],"data_offsets":[0,2]}}""", 2, TensorInvalidInfo, 9, "a" },
        { "elements overflow", """{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, ValidationOverflow, 9, "a" },
        { "bits overflow", """{"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0]}}""", 0, ValidationOverflow, 9, "a" },
        { "dimension beyond 63 bits in an empty tensor", """{"a":{"dtype":"F64","shape":[0,9223372036854775808],"data_offsets":[0,0]}}""", 0, ValidationOverflow, 9, "a" },
        { "data cut", "{" + A + "}", 3, MetadataIncompleteBuffer, 67, "a" },
        { "data far beyond the file", """{"a":{"dtype":"U8","shape":[1099511627776],"data_offsets":[0,1099511627776]}}""", 16, MetadataIncompleteBuffer, 101, "a" },
        { "data after the last", "{" + A + "}", 5, MetadataIncompleteBuffer, 68, null },
        { "data without tensors", "{}", 1, MetadataIncompleteBuffer, 10, null },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public void Malformed_headers_are_refused_with_cause_place_and_tensor(
        string what, string header, int dataBytes, ModelFormatError code, long? offset, string? tensor)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("model.safetensors", SafetensorsBytes.Of(header, new byte[dataBytes]));

        var refusal = Assert.Throws<ModelFormatException>(() => SafetensorsReader.Read(ModelParts.Single(path), ReadLimits.Default));

        Assert.True(code == refusal.Code, $"{what}: {refusal.Code}, {refusal.Message}");
        Assert.Equal(tensor, refusal.Tensor);
        if (offset is not null)
        {
            Assert.Equal(offset, refusal.Offset);
        }

        Assert.InRange(refusal.Offset!.Value, 0, new FileInfo(path).Length);
    }

    [Theory]
    [InlineData("", HeaderTooSmall)]
    [InlineData("01000000", HeaderTooSmall)]
    [InlineData("0100000000000000", InvalidHeaderLength)]
    [InlineData("03000000000000007B7D", InvalidHeaderLength)]
    [InlineData("01E1F505000000007B7D", HeaderTooLarge)]
    [InlineData("FFFFFFFFFFFFFFFF7B7D", HeaderTooLarge)]
    [InlineData("FFFFFFFFFFFFFF7F7B7D", HeaderTooLarge)]
    [InlineData("0100000000000000FF", InvalidHeader)]
    [InlineData("07000000000000007B22C3285C227D", InvalidHeader)]
    [InlineData("04000000000000007B7D20C3", InvalidHeader)]
    public void Lengths_and_text_that_lie_are_refused(string hex, ModelFormatError code)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("model.safetensors", Convert.FromHexString(hex));

        var refusal = Assert.Throws<ModelFormatException>(() => SafetensorsReader.Read(ModelParts.Single(path), ReadLimits.Default));

        Assert.Equal(code, refusal.Code);
        Assert.NotNull(refusal.Offset);
    }

    [Fact]
    public void Sixty_four_dimensions_are_read_and_one_more_is_refused()
    {
        static byte[] WithRank(int rank) => SafetensorsBytes.Of(
            $$$"""{"a":{"dtype":"U8","shape":[{{{string.Join(',', Enumerable.Repeat('1', rank))}}}],"data_offsets":[0,1]}}""", 7);
        using var folder = new TemporaryFolder();

        using var model = SafetensorsReader.Read(ModelParts.Single(folder.Write("64", WithRank(64))), ReadLimits.Default);
        var refusal = Assert.Throws<ModelFormatException>(
            () => SafetensorsReader.Read(ModelParts.Single(folder.Write("65", WithRank(65))), ReadLimits.Default));

        Assert.Equal(64, model.Tensors[0].Shape.Rank);
        Assert.Equal(LimitExceeded, refusal.Code);
        Assert.Equal("a", refusal.Tensor);
    }

    [Fact]
    public void Names_entries_and_structure_are_limited()
    {
        using var folder = new TemporaryFolder();
        var parts = ModelParts.Single(folder.Write("model", SafetensorsBytes.Of(
            """{"__metadata__":{"k":"v"},"abc":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""")));

        ModelFormatError? Read(ReadLimits limits)
        {
            try
            {
                SafetensorsReader.Read(parts, limits).Dispose();
                return null;
            }
            catch (ModelFormatException refusal)
            {
                return refusal.Code;
            }
        }

        Assert.Null(Read(new ReadLimits { NameBytes = 12, Items = 2, StructureBytes = 700, HeaderBytes = 80 }));
        Assert.Equal(LimitExceeded, Read(new ReadLimits { NameBytes = 11 }));
        Assert.Equal(LimitExceeded, Read(new ReadLimits { Items = 1 }));
        Assert.Equal(LimitExceeded, Read(new ReadLimits { StructureBytes = 600 }));
        Assert.Equal(HeaderTooLarge, Read(new ReadLimits { HeaderBytes = 79 }));
    }

    [Fact]
    public void Text_is_checked_across_the_buffer_that_it_is_read_through()
    {
        // Characters of three bytes straddle every border of the 64 KiB buffer at one of the three alignments.
        using var folder = new TemporaryFolder();
        for (int shift = 0; shift < 3; shift++)
        {
            string value = new string(' ', shift) + new string('€', 100_000);
            var parts = ModelParts.Single(folder.Write("model", SafetensorsBytes.Of($$$"""{"__metadata__":{"k":"{{{value}}}"}}""")));
            using var model = SafetensorsReader.Read(parts, ReadLimits.Default);
            Assert.Equal(value, model.Metadata["k"]);
        }

        byte[] broken = Encoding.UTF8.GetBytes($$$"""{"__metadata__":{"k":"{{{new string('€', 100_000)}}}"}}""");
        broken[200_000] = 0xFF;
        var refusal = Assert.Throws<ModelFormatException>(() => SafetensorsReader.Read(
            ModelParts.Single(folder.Write("broken", SafetensorsBytes.Of(broken, []))), ReadLimits.Default));
        Assert.Equal(InvalidHeader, refusal.Code);
    }

    [Fact]
    public void Declared_sizes_are_never_allocated()
    {
        using var folder = new TemporaryFolder();
        string[] headers =
        [
            """{"a":{"dtype":"U8","shape":[1099511627776],"data_offsets":[0,1099511627776]}}""",
            """{"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0]}}""",
        ];
        byte[][] files =
        [
            .. headers.Select(header => SafetensorsBytes.Of(header)),
            [0, 0xE1, 0xF5, 0x05, 0, 0, 0, 0, .. "{}"u8],
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, .. "{}"u8],
        ];
        foreach (byte[] file in files)
        {
            var parts = ModelParts.Single(folder.Write("model", file));
            Assert.Throws<ModelFormatException>(() => SafetensorsReader.Read(parts, ReadLimits.Default));
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<ModelFormatException>(() => SafetensorsReader.Read(parts, ReadLimits.Default));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
        }
    }

    [Fact]
    public void A_hundred_megabytes_of_header_that_are_not_there_cost_one_buffer()
    {
        // A sparse file may have any length for free; its zeros are not JSON.
        using var folder = new TemporaryFolder();
        string path = folder.Write("model", [0, 0xE1, 0xF5, 0x05, 0, 0, 0, 0, (byte)'{']);
        using (var file = new FileStream(path, FileMode.Open))
        {
            file.SetLength(100_000_008);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        var refusal = Assert.Throws<ModelFormatException>(() => SafetensorsReader.Read(ModelParts.Single(path), ReadLimits.Default));

        Assert.Equal(InvalidHeaderDeserialization, refusal.Code);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }
}
