using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Condense.Models.Formats.Numpy;
using Condense.Models.Formats.PyTorch;
using Condense.Models.Formats.Safetensors;

namespace Condense.Models.Formats;

/// <summary>Tells the format of a model file from its first bytes.</summary>
internal static class FormatDetector
{
    /// <summary>As many first bytes as detection looks at.</summary>
    public const int PrefixBytes = 4096;

    // A TensorFlow SavedModel begins with the same two fields as an ONNX model, but its second one is a whole graph, not a producer's name.
    private const int MaxProducerBytes = 4096;

    private const int GraphField = 7;

    // The version of the format: without a good field before it the graph's tag may be chance.
    private const int FieldsOfACutFile = 1;

    /// <summary>The formats, for messages.</summary>
    public const string WhatIsRead = "Models are read as safetensors (one file, or shards with their index), as ONNX, as NumPy's NPY and NPZ, and as PyTorch checkpoints.";

    // What people have at hand when they have neither: first bytes, where they stand, and what they mean.
    private static readonly (int Position, byte[] Bytes, string Meaning)[] s_foreign =
    [
        (0, [.. "PK\x05\x06"u8], "an empty zip archive"),
        (0, [.. "GGUF"u8], "a GGUF file; convert the model from its original weights"),
        (0, [0x89, .. "HDF\r\n\x1a\n"u8], "an HDF5 file, as Keras writes it; export the model to ONNX"),
        (4, [.. "TFL3"u8], "a TensorFlow Lite model; convert it to ONNX"),
        (4, [.. "ORTM"u8], "a model in ONNX Runtime's own format; take the ONNX file that it was made from"),
        (0, [0x1F, 0x8B], "a gzip archive; unpack it first"),
        (0, [0x28, 0xB5, 0x2F, 0xFD], "a Zstandard archive; unpack it first"),
        (0, [0xFD, .. "7zXZ\0"u8], "an xz archive; unpack it first"),
        (0, [.. "7z"u8, 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive; unpack it first"),
        (257, [.. "ustar"u8], "a tar archive; unpack it first"),
        (0, [.. "version https://git-lfs"u8], "a Git LFS pointer, not the model itself; fetch the file with git lfs pull"),
    ];

    /// <summary>Whether the file begins as a zip archive does; what kind it is then <see cref="ArchiveDetector"/> tells.</summary>
    /// <param name="start">The file's first bytes.</param>
    public static bool IsArchive(ReadOnlySpan<byte> start) => start.StartsWith("PK\x03\x04"u8);

    /// <summary>Tells the format.</summary>
    /// <param name="start">The file's first bytes, <see cref="PrefixBytes"/> of them where it has as many.</param>
    /// <param name="fileLength">The file's length.</param>
    /// <exception cref="ModelFormatException">The file is empty, or of no format that is read; the message says what it looks like.</exception>
    public static ModelFormat Detect(ReadOnlySpan<byte> start, long fileLength)
    {
        if (fileLength == 0)
        {
            throw new ModelFormatException(ModelFormatError.EmptyFile, $"The file is empty: it has no bytes. {WhatIsRead}", offset: 0);
        }

        if (start.StartsWith(NpyHeader.Magic))
        {
            return ModelFormat.Npy;
        }

        if (LooksLikeSafetensors(start) || ShardIndex.LooksLikeJson(start))
        {
            return ModelFormat.Safetensors;
        }

        if (NameForeign(start) is null)
        {
            if (LooksLikeOnnx(start, fileLength))
            {
                return ModelFormat.Onnx;
            }

            if (PickleDetection.LooksLikePickle(start, fileLength))
            {
                return ModelFormat.PyTorch;
            }
        }

        throw new ModelFormatException(
            ModelFormatError.UnsupportedFormat, $"The file looks like {NameForeign(start) ?? NameGeneral(start)}. {WhatIsRead}", offset: 0);
    }

    // A length of which at least one byte is no text, then a JSON object; or nothing but a length that could be one.
    private static bool LooksLikeSafetensors(ReadOnlySpan<byte> start)
    {
        if (start.Length < SafetensorsHeader.LengthBytes || IsText(start[..SafetensorsHeader.LengthBytes]))
        {
            return false;
        }

        var json = start[SafetensorsHeader.LengthBytes..].TrimStart(" \t\r\n"u8);
        return json.IsEmpty
            ? BinaryPrimitives.ReadUInt64LittleEndian(start) is > 0 and <= uint.MaxValue
            : json.StartsWith("{"u8);
    }

    // Walks the fields of a ModelProto as far as the prefix reaches: each must be one that the message has, with its wire type. One that passes the file's
    // end is that of a cut file, when its beginning is unmistakable: the reader then says where it ends.
    private static bool LooksLikeOnnx(ReadOnlySpan<byte> start, long fileLength)
    {
        if (IsText(start))
        {
            return false;
        }

        long position = 0;
        int fields = 0;
        while (position < start.Length)
        {
            int at = (int)position;
            if (!TryReadVarint(start, ref at, out ulong tag) || !TryReadVarint(start, ref at, out ulong value))
            {
                // Cut by the end of the prefix, which is no objection; by the end of the file it is.
                return at == start.Length && start.Length < fileLength;
            }

            bool hasLength = (tag & 7) == 2;
            if (!IsModelField(tag) || (hasLength && tag >> 3 == 2 && value > MaxProducerBytes))
            {
                return false;
            }

            if (hasLength && value > (ulong)(fileLength - at))
            {
                return fields >= FieldsOfACutFile && tag >> 3 == GraphField && value <= int.MaxValue;
            }

            fields++;

            position = at + (hasLength ? (long)value : 0);
        }

        return true;
    }

    // Fields of ModelProto, onnx.proto: ir_version, producer_name, producer_version, domain, model_version, doc_string, graph, opset_import,
    // metadata_props, training_info, functions, configuration.
    private static bool IsModelField(ulong tag) => (tag >> 3, tag & 7) is
        (1 or 5, 0) or (2 or 3 or 4 or 6 or 7 or 8 or 14 or 20 or 25 or 26, 2);

    private static bool TryReadVarint(ReadOnlySpan<byte> bytes, ref int position, out ulong value)
    {
        value = 0;
        for (int shift = 0; shift < 64 && position < bytes.Length; shift += 7)
        {
            byte next = bytes[position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }

        return false;
    }

    private static string? NameForeign(ReadOnlySpan<byte> start)
    {
        foreach (var (position, bytes, meaning) in s_foreign)
        {
            if (start.Length >= position + bytes.Length && start.Slice(position, bytes.Length).SequenceEqual(bytes))
            {
                return meaning;
            }
        }

        return null;
    }

    private static string NameGeneral(ReadOnlySpan<byte> start)
    {
        if (!IsText(start))
        {
            return start.ContainsAnyExcept((byte)0) ? "binary data of an unknown kind" : "nothing but zero bytes";
        }

        return start.TrimStart(" \t\r\n"u8).StartsWith("<"u8) ? "an HTML or XML page, perhaps a download that failed" : "text";
    }

    // UTF-8 without control characters, but for those that text has; a character may be cut by the end.
    private static bool IsText(ReadOnlySpan<byte> bytes)
    {
        var whole = Rune.DecodeLastFromUtf8(bytes, out _, out int tail) == OperationStatus.NeedMoreData ? bytes[..^tail] : bytes;
        foreach (byte value in whole)
        {
            if (value is < 0x20 and not ((byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'\f') or 0x7F)
            {
                return false;
            }
        }

        return Utf8.IsValid(whole);
    }
}
