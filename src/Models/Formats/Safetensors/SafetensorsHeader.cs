using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Safetensors;

/// <summary>
/// The header of a safetensors file, checked as the reference implementation checks it
/// (https://github.com/huggingface/safetensors, "Format"), and more strictly where that leaves room: names and keys stand once, no key is unknown.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>Bytes of the length in front of the header.</summary>
    public const int LengthBytes = 8;

    /// <summary>The key that names no tensor.</summary>
    public const string MetadataKey = "__metadata__";

    // As many dimensions as NumPy and PyTorch allow; a list of them is not a way to fill memory.
    private const int MaxRank = 64;

    private SafetensorsHeader(ImmutableArray<(Tensor Tensor, long HeaderOffset)> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        Tensors = tensors;
        Metadata = metadata;
    }

    /// <summary>The tensors in the order of their bytes, each with the place of its name in the header.</summary>
    public ImmutableArray<(Tensor Tensor, long HeaderOffset)> Tensors { get; }

    /// <summary>The entries of <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads and checks the header; no tensor's bytes. O(n·log n) in the tensors when they are not in order, else O(n).</summary>
    /// <param name="file">The open file.</param>
    /// <param name="budget">What is left to take.</param>
    /// <exception cref="ModelFormatException">The header is broken or passes the limits.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static SafetensorsHeader Read(SafeFileHandle file, StructureBudget budget)
    {
        long fileLength = RandomAccess.GetLength(file);
        long headerLength = ReadLength(file, fileLength, budget.Limits);
        var entries = new List<SafetensorsEntry>();
        var metadata = Parse(new HeaderTokens(file, LengthBytes, headerLength, budget.Limits.NameBytes), entries, budget);
        return new SafetensorsHeader(Locate(file, entries, LengthBytes + headerLength, fileLength), metadata);
    }

    private static long ReadLength(SafeFileHandle file, long fileLength, ReadLimits limits)
    {
        if (fileLength < LengthBytes)
        {
            throw new ModelFormatException(
                ModelFormatError.HeaderTooSmall,
                $"The file has {fileLength} bytes; a safetensors file begins with {LengthBytes} bytes that give its header's length. Was it cut?",
                offset: 0);
        }

        Span<byte> bytes = stackalloc byte[LengthBytes];
        new FileTensorData(file, 0, LengthBytes).Read(0, bytes);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        if (length > (ulong)limits.HeaderBytes)
        {
            throw new ModelFormatException(
                ModelFormatError.HeaderTooLarge, $"The header declares {length} bytes; at most {limits.HeaderBytes} are read.", offset: 0);
        }

        if (length > (ulong)(fileLength - LengthBytes))
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidHeaderLength,
                $"The header declares {length} bytes, but the file ends {fileLength - LengthBytes} bytes after the length. Was it cut?",
                offset: 0);
        }

        return (long)length;
    }

    private static Dictionary<string, string> Parse(HeaderTokens tokens, List<SafetensorsEntry> entries, StructureBudget budget)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        tokens.Expect(JsonTokenType.StartObject, "the header's JSON object");
        while (tokens.Read() && tokens.Type == JsonTokenType.PropertyName)
        {
            long offset = tokens.Offset;
            int nameBytes = tokens.TextBytes;
            string name = tokens.GetName();
            if (!names.Add(name))
            {
                throw new ModelFormatException(
                    ModelFormatError.DuplicateName, $"The header names '{Shorten(name)}' twice, the second time at byte {offset}.", offset, name);
            }

            if (string.Equals(name, MetadataKey, StringComparison.Ordinal))
            {
                ParseMetadata(ref tokens, metadata, budget);
            }
            else
            {
                var entry = ParseEntry(ref tokens, name, offset);
                budget.Add(nameBytes + (entry.Dimensions.Length * sizeof(long)), offset);
                entries.Add(entry);
            }
        }

        // After the closing brace only white space may follow; the tokenizer refuses anything else.
        tokens.Read();
        return metadata;
    }

    private static void ParseMetadata(ref HeaderTokens tokens, Dictionary<string, string> metadata, StructureBudget budget)
    {
        tokens.Read();
        if (tokens.Type == JsonTokenType.Null)
        {
            return;
        }

        tokens.Require(JsonTokenType.StartObject, "the object __metadata__");
        while (tokens.Read() && tokens.Type == JsonTokenType.PropertyName)
        {
            long offset = tokens.Offset;
            int bytes = tokens.TextBytes;
            string key = tokens.GetName();
            tokens.Expect(JsonTokenType.String, "a string, as every value of __metadata__ is,");
            budget.Add(bytes + tokens.TextBytes, offset);
            if (!metadata.TryAdd(key, tokens.GetText()))
            {
                throw new ModelFormatException(
                    ModelFormatError.DuplicateName, $"__metadata__ has the key '{Shorten(key)}' twice, the second time at byte {offset}.", offset);
            }
        }
    }

    private static SafetensorsEntry ParseEntry(ref HeaderTokens tokens, string name, long headerOffset)
    {
        DType? dtype = null;
        ulong[]? dimensions = null;
        (ulong Start, ulong End)? range = null;
        tokens.Expect(JsonTokenType.StartObject, "a tensor's object", name);
        while (tokens.Read() && tokens.Type == JsonTokenType.PropertyName)
        {
            if (tokens.TextEquals("dtype"u8))
            {
                RefuseSecond(dtype is not null, "dtype", name, tokens.Offset);
                dtype = ParseDType(ref tokens, name);
            }
            else if (tokens.TextEquals("shape"u8))
            {
                RefuseSecond(dimensions is not null, "shape", name, tokens.Offset);
                dimensions = ParseDimensions(ref tokens, name);
            }
            else if (tokens.TextEquals("data_offsets"u8))
            {
                RefuseSecond(range is not null, "data_offsets", name, tokens.Offset);
                tokens.Expect(JsonTokenType.StartArray, "the two numbers of data_offsets", name);
                range = (tokens.ReadInteger("the first of data_offsets", name), tokens.ReadInteger("the second of data_offsets", name));
                tokens.Expect(JsonTokenType.EndArray, "the end of data_offsets", name);
            }
            else
            {
                throw new ModelFormatException(
                    ModelFormatError.InvalidHeaderDeserialization,
                    $"The tensor '{Shorten(name)}' has the key '{Shorten(tokens.GetName())}'; only dtype, shape and data_offsets are allowed.",
                    tokens.Offset,
                    name);
            }
        }

        string? missing = dtype is null ? "dtype" : dimensions is null ? "shape" : range is null ? "data_offsets" : null;
        return missing is null
            ? new SafetensorsEntry(name, dtype!.Value, dimensions!, range!.Value.Start, range.Value.End, headerOffset)
            : throw new ModelFormatException(
                ModelFormatError.InvalidHeaderDeserialization, $"The tensor '{Shorten(name)}' has no {missing}.", headerOffset, name);
    }

    private static void RefuseSecond(bool seen, string key, string name, long offset)
    {
        if (seen)
        {
            throw new ModelFormatException(ModelFormatError.DuplicateName, $"The tensor '{Shorten(name)}' has the key {key} twice.", offset, name);
        }
    }

    private static DType ParseDType(ref HeaderTokens tokens, string name)
    {
        tokens.Expect(JsonTokenType.String, "the string dtype", name);
        string spelling = tokens.GetName();
        return SafetensorsDTypes.TryParse(spelling, out var dtype)
            ? dtype
            : throw new ModelFormatException(
                ModelFormatError.UnknownDType,
                $"The tensor '{Shorten(name)}' has the dtype '{Shorten(spelling)}'; the format knows {string.Join(", ", SafetensorsDTypes.Names)}.",
                tokens.Offset,
                name);
    }

    private static ulong[] ParseDimensions(ref HeaderTokens tokens, string name)
    {
        tokens.Expect(JsonTokenType.StartArray, "the array shape", name);
        Span<ulong> dimensions = stackalloc ulong[MaxRank];
        int rank = 0;
        while (tokens.Read() && tokens.Type != JsonTokenType.EndArray)
        {
            tokens.Require(JsonTokenType.Number, "a dimension", name);
            if (rank == MaxRank)
            {
                throw new ModelFormatException(
                    ModelFormatError.LimitExceeded, $"The tensor '{Shorten(name)}' has more than {MaxRank} dimensions.", tokens.Offset, name);
            }

            dimensions[rank++] = tokens.GetInteger("a dimension", name);
        }

        return dimensions[..rank].ToArray();
    }

    // The ranges must follow each other without gap or overlap from the header's end to the file's: what no tensor covers could be another file.
    private static ImmutableArray<(Tensor Tensor, long HeaderOffset)> Locate(
        SafeFileHandle file, List<SafetensorsEntry> entries, long dataStart, long fileLength)
    {
        entries.Sort((left, right) => (left.Start, left.End, left.HeaderOffset).CompareTo((right.Start, right.End, right.HeaderOffset)));
        var tensors = ImmutableArray.CreateBuilder<(Tensor Tensor, long HeaderOffset)>(entries.Count);
        ulong available = (ulong)(fileLength - dataStart);
        ulong position = 0;
        string? firstBeyond = null;
        foreach (var entry in entries)
        {
            if (entry.Start != position || entry.End < entry.Start)
            {
                throw new ModelFormatException(
                    ModelFormatError.InvalidOffset,
                    $"The tensor '{Shorten(entry.Name)}' has the data_offsets [{entry.Start}, {entry.End}]; the tensors before it end at {position}. Ranges must follow each other without gap or overlap.",
                    entry.HeaderOffset,
                    entry.Name);
            }

            var shape = CheckShape(entry);
            position = entry.End;
            if (position > available)
            {
                // The rest is still checked, so that a contradiction is named before a cut; but nothing out of the file becomes a tensor.
                firstBeyond ??= entry.Name;
                continue;
            }

            var data = new FileTensorData(file, dataStart + (long)entry.Start, (long)(entry.End - entry.Start));
            tensors.Add((new Tensor(entry.Name, entry.DType, shape, data), entry.HeaderOffset));
        }

        if (firstBeyond is not null)
        {
            throw new ModelFormatException(
                ModelFormatError.MetadataIncompleteBuffer,
                $"The tensors take {position} bytes, but only {available} follow the header: '{Shorten(firstBeyond)}' passes the end. Was the file cut?",
                fileLength,
                firstBeyond);
        }

        return position == available
            ? tensors.MoveToImmutable()
            : throw new ModelFormatException(
                ModelFormatError.MetadataIncompleteBuffer,
                $"The tensors take {position} bytes, but {available} follow the header; the last {available - position} belong to no tensor.",
                dataStart + (long)position);
    }

    private static TensorShape CheckShape(SafetensorsEntry entry)
    {
        ulong bits;
        TensorShape shape;
        try
        {
            ulong elements = 1;
            foreach (ulong dimension in entry.Dimensions)
            {
                elements = checked(elements * dimension);
            }

            bits = checked(elements * (ulong)entry.DType.BitsPerElement());
            shape = new TensorShape(Array.ConvertAll(entry.Dimensions, dimension => checked((long)dimension)));
        }
        catch (OverflowException exception)
        {
            throw new ModelFormatException(
                ModelFormatError.ValidationOverflow,
                $"The tensor '{Shorten(entry.Name)}' has the shape [{string.Join(", ", entry.Dimensions)}]; its size passes 64 bits.",
                entry.HeaderOffset,
                entry.Name,
                exception);
        }

        if (bits % 8 != 0 || entry.End - entry.Start != bits / 8)
        {
            throw new ModelFormatException(
                ModelFormatError.TensorInvalidInfo,
                bits % 8 != 0
                    ? $"The tensor '{Shorten(entry.Name)}' of {entry.DType} and shape {shape} has {bits} bits, which do not fill whole bytes."
                    : $"The tensor '{Shorten(entry.Name)}' of {entry.DType} and shape {shape} takes {bits / 8} bytes, but its data_offsets give it {entry.End - entry.Start}.",
                entry.HeaderOffset,
                entry.Name);
        }

        return shape;
    }

    // Names of any length are read; a message quotes their beginning, the exception's property has the whole.
    private static string Shorten(string name) => name.Length <= 100 ? name : string.Concat(name.AsSpan(0, 100), "…");
}
