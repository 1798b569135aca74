using Condense.Models.Graph;
using Condense.Models.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Condense.Models.Formats.Onnx;

/// <summary>Reads TensorProto messages: everything but the elements, which stay where they are.</summary>
/// <param name="reader">The file's reader.</param>
/// <param name="handle">The file.</param>
/// <param name="file">The same, whole.</param>
/// <param name="external">Where tensors outside the file lie; null where none may.</param>
/// <param name="budget">The limits.</param>
internal sealed class OnnxTensorReader(WireReader reader, SafeFileHandle handle, TensorData file, ExternalData? external, ReadBudget budget)
{
    private const int ExternalLocation = 1;

    /// <summary>How many tensors with external data have been read.</summary>
    internal int ExternalCount { get; private set; }

    /// <summary>Reads the tensor of the last field.</summary>
    internal Initializer Read()
    {
        budget.Item("tensors", reader.FieldStart);
        long outer = reader.Enter();
        var message = new Message(reader.Position);
        var unknown = new UnknownFields();
        while (reader.TryReadTag())
        {
            ReadField(message, unknown);
        }

        reader.Leave(outer);
        return new Initializer(ToTensor(message)) { DocString = message.DocString, Unknown = unknown.ToImmutable() };
    }

    private void ReadField(Message message, UnknownFields unknown)
    {
        switch (reader.Field)
        {
            case TensorField.Name:
                message.Name = reader.ReadName();
                break;
            case TensorField.DocString:
                message.DocString = reader.ReadText();
                break;
            case TensorField.Dims:
                reader.ReadInt64s(message.Dims);
                break;
            case TensorField.DataType:
                message.DataType = reader.ReadInt64();
                break;
            case TensorField.DataLocation:
                message.Location = reader.ReadInt64();
                break;
            case TensorField.RawData:
                message.Raw = message.Raw is null
                    ? reader.ReadRange()
                    : throw Invalid(ModelFormatError.InvalidGraph, message, "has raw_data twice");
                break;
            case TensorField.FloatData or TensorField.Int32Data or TensorField.StringData or TensorField.Int64Data or TensorField.DoubleData
                or TensorField.UInt64Data:
                message.Scanner ??= new ElementScanner(reader.Field);
                if (message.Scanner.Field != reader.Field)
                {
                    throw Invalid(ModelFormatError.InvalidGraph, message, "has elements in two typed fields");
                }

                message.Scanner.Scan(reader, budget);
                break;
            case TensorField.ExternalData:
                message.External.Add(reader.ReadEntry());
                break;
            case TensorField.Segment:
                throw Invalid(ModelFormatError.InvalidGraph, message, "is one segment of a larger tensor; join the segments before uploading");
            default:
                unknown.Keep(reader);
                break;
        }
    }

    private Tensor ToTensor(Message message)
    {
        var type = OnnxDType.FromCode(message.DataType)
            ?? throw Invalid(ModelFormatError.UnknownDType, message, $"has the unknown data type {message.DataType}");
        var shape = ToShape(message);
        return new(message.Name, type, shape, ToData(message, type, shape));
    }

    private static TensorShape ToShape(Message message)
    {
        if (message.Dims.Exists(dimension => dimension < 0))
        {
            throw Invalid(ModelFormatError.TensorInvalidInfo, message, "has a negative dimension");
        }

        try
        {
            return new TensorShape([.. message.Dims]);
        }
        catch (OverflowException)
        {
            throw Invalid(ModelFormatError.ValidationOverflow, message, $"has more than {long.MaxValue} elements");
        }
    }

    private TensorData ToData(Message message, DType type, TensorShape shape)
    {
        bool hasElements = message.Scanner is { Count: > 0 };
        if (message.Raw is not null && hasElements)
        {
            throw Invalid(ModelFormatError.InvalidGraph, message, "has both raw_data and a typed field");
        }

        if (message.Location == ExternalLocation)
        {
            if (message.Raw is { Length: > 0 } || hasElements || type == DType.String)
            {
                throw Invalid(ModelFormatError.InvalidGraph, message, "has external data, and elements in the file or text");
            }

            if (external is null)
            {
                throw Invalid(
                    ModelFormatError.UnsafeExternalData,
                    message,
                    "has external data in training information or in a default of a function, which are kept as they are; embed it");
            }

            ExternalCount++;
            return external.Resolve(message.External, ByteLength(message, type, shape), message.Name, message.Start);
        }

        if (message.Location != 0)
        {
            throw Invalid(ModelFormatError.InvalidGraph, message, $"has the unknown data location {message.Location}");
        }

        if (type == DType.String)
        {
            return ToText(message, shape);
        }

        long expected = ByteLength(message, type, shape);
        TensorData data = message.Raw is { } raw ? new FileTensorData(handle, raw.Start, raw.Length)
            : hasElements ? ToElements(message, type)
            : new MemoryTensorData(default);
        return data.ByteLength == expected
            ? data
            : throw Invalid(
                ModelFormatError.TensorInvalidInfo, message, $"holds {data.ByteLength} bytes; {shape} elements of {type} take {expected}");
    }

    // The texts stay encoded as their fields are in the file: nothing here reads them, and they are written again as they are.
    private TensorData ToText(Message message, TensorShape shape)
    {
        if (message.Raw is { Length: > 0 } || message.Scanner is { Field: not TensorField.StringData })
        {
            throw Invalid(ModelFormatError.InvalidGraph, message, "is text but has its elements in another field than string_data");
        }

        long count = message.Scanner?.Texts ?? 0;
        if (count != shape.ElementCount)
        {
            throw Invalid(ModelFormatError.TensorInvalidInfo, message, $"holds {count} texts, its shape {shape} asks for {shape.ElementCount}");
        }

        return message.Scanner?.ToData(file, width: 1, boolean: false) ?? new MemoryTensorData(default);
    }

    private TensorData ToElements(Message message, DType type)
    {
        var scanner = message.Scanner!;
        int expectedField = type switch
        {
            DType.F32 or DType.C64 => TensorField.FloatData,
            DType.F64 or DType.C128 => TensorField.DoubleData,
            DType.I64 => TensorField.Int64Data,
            DType.U64 or DType.U32 => TensorField.UInt64Data,
            _ => TensorField.Int32Data,
        };
        if (scanner.Field != expectedField)
        {
            throw Invalid(
                ModelFormatError.TensorInvalidInfo, message, $"is of {type} but has its elements in field {scanner.Field}, not {expectedField}");
        }

        // A complex number is two floats. Types below 8 bits come packed into bytes, one byte in an integer.
        int width = scanner.FixedBytes > 0 ? scanner.FixedBytes : Math.Max(1, type.BitsPerElement() / 8);
        return scanner.ToData(file, width, type == DType.Bool);
    }

    private static long ByteLength(Message message, DType type, TensorShape shape)
    {
        try
        {
            return type.ByteLength(shape);
        }
        catch (OverflowException)
        {
            throw Invalid(ModelFormatError.ValidationOverflow, message, $"has more than {long.MaxValue} bytes");
        }
    }

    private static ModelFormatException Invalid(ModelFormatError code, Message message, string what) =>
        new(code, $"Tensor '{message.Name}' {what}.", message.Start, message.Name);

    private sealed class Message(long start)
    {
        internal long Start => start;

        internal string Name { get; set; } = "";

        internal string DocString { get; set; } = "";

        internal long DataType { get; set; }

        internal long Location { get; set; }

        internal List<long> Dims { get; } = [];

        internal List<KeyValuePair<string, string>> External { get; } = [];

        internal FileRange? Raw { get; set; }

        internal ElementScanner? Scanner { get; set; }
    }
}
