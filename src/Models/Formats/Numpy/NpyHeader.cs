using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Numpy;

/// <summary>
/// The header of an NPY file (NumPy Enhancement Proposal 1, and <c>numpy.lib.format</c> for versions 2.0 and 3.0): magic bytes, version, length, and a Python
/// dictionary of exactly <c>descr</c>, <c>fortran_order</c> and <c>shape</c>.
/// </summary>
/// <param name="DType">The type of the elements.</param>
/// <param name="BigEndian">Whether their bytes come in the opposite order.</param>
/// <param name="FortranOrder">Whether the first index runs fastest.</param>
/// <param name="Shape">The dimensions.</param>
/// <param name="Length">Bytes in front of the data.</param>
internal sealed record NpyHeader(DType DType, bool BigEndian, bool FortranOrder, TensorShape Shape, int Length)
{
    private const int VersionEnd = 8;

    // NumPy pads headers until the data begins at a multiple of this.
    private const int Alignment = 64;

    // NumPy leaves room for a first dimension of so many digits, to append in place.
    private const int GrowthDigits = 21;

    // As many dimensions as NumPy 2 has; a header with them stays below the longest that is read.
    private const int MaxRank = 64;
    private const int MaxTextBytes = ushort.MaxValue;

    private static readonly byte[] s_magic = [0x93, .. "NUMPY"u8];

    /// <summary>The first bytes of every NPY file.</summary>
    public static ReadOnlySpan<byte> Magic => s_magic;

    /// <summary>Reads a header and checks that the data behind it has the bytes that it says.</summary>
    /// <param name="file">The whole NPY file. It is read from its beginning, without gaps.</param>
    /// <exception cref="ModelFormatException">The header is broken, of an unread dtype or version, or disagrees with the length of the data.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static NpyHeader Read(TensorData file)
    {
        Span<byte> start = stackalloc byte[VersionEnd + sizeof(uint)];
        Need(file, VersionEnd);
        file.Read(0, start[..VersionEnd]);
        if (!start.StartsWith(Magic))
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidHeader, "The array does not begin as NPY files do. Save it anew with numpy.save.", offset: 0);
        }

        if ((start[6], start[7]) is not ((1 or 2 or 3), 0))
        {
            throw new ModelFormatException(
                ModelFormatError.UnsupportedVersion, $"The NPY file is of version {start[6]}.{start[7]}; 1.0, 2.0 and 3.0 are read. Save it anew with numpy.save.", offset: 6);
        }

        int lengthBytes = start[6] == 1 ? sizeof(ushort) : sizeof(uint);
        int textStart = VersionEnd + lengthBytes;
        Need(file, textStart);
        file.Read(VersionEnd, start[VersionEnd..textStart]);
        uint textBytes = lengthBytes == sizeof(ushort)
            ? BinaryPrimitives.ReadUInt16LittleEndian(start[VersionEnd..])
            : BinaryPrimitives.ReadUInt32LittleEndian(start[VersionEnd..]);
        if (textBytes > MaxTextBytes)
        {
            throw new ModelFormatException(
                ModelFormatError.HeaderTooLarge, $"The NPY header declares {textBytes} bytes; at most {MaxTextBytes} are read.", VersionEnd);
        }

        if (textBytes > file.ByteLength - textStart)
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidHeaderLength,
                $"The NPY header declares {textBytes} bytes, but the file ends {file.ByteLength - textStart} bytes after the length. Was it cut?",
                VersionEnd);
        }

        byte[] text = new byte[textBytes];
        file.Read(textStart, text);
        var header = Parse(new HeaderLiteral(text, textStart), textStart + (int)textBytes);
        header.CheckLength(file.ByteLength - header.Length);
        return header;
    }

    /// <summary>The header that NumPy writes for a tensor in row-major order, byte for byte.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <exception cref="ArgumentException">NumPy has no such dtype, the tensor has too many dimensions, or its data another length.</exception>
    public static byte[] Write(Tensor tensor)
    {
        string dtype = NpyDTypes.NameOf(tensor.DType) ?? throw new ArgumentException(
            $"The tensor '{tensor.Name}' is of type {tensor.DType}, which NumPy does not have; write safetensors, or convert it first.", nameof(tensor));
        if (tensor.Shape.Rank > MaxRank || tensor.Data.ByteLength != tensor.DType.ByteLength(tensor.Shape))
        {
            throw new ArgumentException(
                $"The tensor '{tensor.Name}' of {tensor.DType} and shape {tensor.Shape} must have at most {MaxRank} dimensions and {tensor.DType.ByteLength(tensor.Shape)} bytes; its data has {tensor.Data.ByteLength}.",
                nameof(tensor));
        }

        string shape = tensor.Shape.Rank == 1 ? $"({tensor.Shape[0]},)" : $"({string.Join(", ", tensor.Shape.Dimensions)})";
        string text = $"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}";
        int growth = tensor.Shape.Rank == 0 ? 0 : GrowthDigits - tensor.Shape[0].ToString(CultureInfo.InvariantCulture).Length;
        int prefix = VersionEnd + sizeof(ushort);
        int length = prefix + text.Length + growth + 1;
        length += Alignment - (length % Alignment);

        byte[] bytes = new byte[length];
        Magic.CopyTo(bytes);
        bytes[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(VersionEnd), (ushort)(length - prefix));
        bytes.AsSpan(prefix).Fill((byte)' ');
        Encoding.ASCII.GetBytes(text, bytes.AsSpan(prefix));
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    private static NpyHeader Parse(HeaderLiteral text, int length)
    {
        string? dtype = null;
        bool? fortran = null;
        TensorShape? shape = null;
        text.Take('{');
        while (!text.TryTake('}'))
        {
            string key = text.TakeString();
            text.Take(':');
            if ((key, dtype, fortran, shape) is ("descr", not null, _, _) or ("fortran_order", _, not null, _) or ("shape", _, _, not null))
            {
                throw text.Refuse($"the key '{key}' stands twice");
            }

            switch (key)
            {
                case "descr":
                    dtype = TakeDType(ref text);
                    break;
                case "fortran_order":
                    fortran = text.TakeBoolean();
                    break;
                case "shape":
                    shape = TakeShape(ref text);
                    break;
                default:
                    throw text.Refuse("it has a key other than 'descr', 'fortran_order' and 'shape'");
            }

            if (!text.Sees('}'))
            {
                text.Take(',');
            }
        }

        if (!text.AtEnd || dtype is null || fortran is null || shape is null)
        {
            throw text.Refuse("'descr', 'fortran_order' or 'shape' is missing, or something follows them");
        }

        return NpyDTypes.TryParse(dtype, out var type, out bool bigEndian)
            ? new NpyHeader(type, bigEndian, fortran.Value, shape, length)
            : throw RefuseDType(dtype, text.Position);
    }

    private static string TakeDType(ref HeaderLiteral text) =>
        text.Sees('[') ? throw RefuseDType("[…]", text.Position) : text.TakeString();

    private static ModelFormatException RefuseDType(string dtype, long offset)
    {
        // An object array is a pickle behind its header.
        if (dtype.AsSpan().TrimStart("<>|=").StartsWith("O"))
        {
            return new ModelFormatException(
                ModelFormatError.UnsafePickle,
                "The array holds Python objects, which are kept as a pickle, and to read a pickle can run any program. Save an array of numbers: numpy.save(file, array.astype('float32')).",
                offset);
        }

        return new ModelFormatException(
            ModelFormatError.UnknownDType,
            $"The array is of dtype '{dtype}'. Whole numbers, floats, booleans and complex numbers that NumPy itself has are read (<f4, >f8, |u1, …); text, dates, records and types of other packages are not.",
            offset);
    }

    private static TensorShape TakeShape(ref HeaderLiteral text)
    {
        var dimensions = new List<long>();
        bool comma = true;
        text.Take('(');
        while (!text.TryTake(')'))
        {
            if (!comma || dimensions.Count == MaxRank)
            {
                throw text.Refuse($"the shape is not a list of at most {MaxRank} numbers");
            }

            dimensions.Add(text.TakeNumber());
            comma = text.TryTake(',');
        }

        // In Python, (3) is a number, not a shape.
        if (dimensions.Count == 1 && !comma)
        {
            throw text.Refuse("the shape is a number, not a tuple");
        }

        try
        {
            return new TensorShape([.. dimensions]);
        }
        catch (OverflowException exception)
        {
            throw new ModelFormatException(
                ModelFormatError.ValidationOverflow, "The NPY header has a shape of more than 2⁶³−1 elements.", text.Position, innerException: exception);
        }
    }

    private static void Need(TensorData file, int bytes)
    {
        if (file.ByteLength < bytes)
        {
            throw new ModelFormatException(
                ModelFormatError.HeaderTooSmall, $"The NPY file has {file.ByteLength} bytes; its header begins with {bytes}. Was it cut?", offset: 0);
        }
    }

    private void CheckLength(long found)
    {
        Int128 expected = (Int128)Shape.ElementCount * (DType.BitsPerElement() / 8);
        if (expected > long.MaxValue)
        {
            throw new ModelFormatException(
                ModelFormatError.ValidationOverflow, $"The NPY header declares {DType} of shape {Shape}, more than 2⁶³−1 bytes.", VersionEnd);
        }

        if (found != (long)expected)
        {
            throw new ModelFormatException(
                found < expected ? ModelFormatError.Truncated : ModelFormatError.MetadataIncompleteBuffer,
                $"The NPY header declares {DType} of shape {Shape}, {expected} bytes; {found} follow it. {(found < expected ? "Was the file cut?" : "Save the array anew with numpy.save.")}",
                Length);
        }
    }
}
