using System.Collections.Immutable;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Formats.Onnx;

/// <summary>TypeProto messages: checked whole, interpreted where they are tensors.</summary>
internal static class OnnxTypes
{
    // A dimension in memory, and the room that a growing list keeps free.
    private const int DimensionBytes = 64;

    // What was read once within the limits is read again without.
    private static readonly ReadLimits s_unlimited = new() { Depth = int.MaxValue, NameBytes = int.MaxValue, StructureBytes = long.MaxValue };

    /// <summary>Reads the type that the reader stands in; sequences, maps and the like answer null and no shape.</summary>
    /// <param name="reader">Entered into the message; left at its end.</param>
    /// <param name="budget">The limits.</param>
    internal static (DType? DType, ImmutableArray<Dimension> Shape) Read(WireReader reader, ReadBudget budget)
    {
        DType? type = null;
        ImmutableArray<Dimension> shape = default;
        var inner = new Stack<(FileRange Range, int Depth, int Kind)>();
        while (reader.TryReadTag())
        {
            if (reader.Field == TypeField.Tensor)
            {
                long outer = reader.Enter();
                (type, shape) = ReadTensor(reader, budget);
                reader.Leave(outer);
            }
            else
            {
                PassType(reader, inner);
            }
        }

        CheckDepth(reader, inner);
        return (type, shape);
    }

    /// <summary>Whether an encoded type is the one with this element type and shape.</summary>
    /// <param name="encoded">The message; empty when there is none.</param>
    /// <param name="type">The element type.</param>
    /// <param name="shape">The shape; default for none.</param>
    internal static bool Says(ImmutableArray<byte> encoded, DType? type, ImmutableArray<Dimension> shape)
    {
        var budget = new ReadBudget(s_unlimited);
        var (saidType, saidShape) = Read(new WireReader(new MemoryTensorData(encoded.AsMemory()), budget), budget);
        return saidType == type && saidShape.IsDefault == shape.IsDefault && (shape.IsDefault || saidShape.SequenceEqual(shape));
    }

    /// <summary>Encodes the content of a type: that of a tensor, of which less than everything may be known.</summary>
    /// <param name="message">The type's message.</param>
    /// <param name="type">The element type; null when not known.</param>
    /// <param name="shape">The shape; default for none.</param>
    internal static void Add(MessageBuilder message, DType? type, ImmutableArray<Dimension> shape)
    {
        long mark = message.Length;
        if (!shape.IsDefault)
        {
            foreach (var dimension in shape.Reverse())
            {
                long dimensionMark = message.Length;
                if (dimension.Value is { } value)
                {
                    message.AddInt64(ShapeField.DimensionValue, value);
                }
                else
                {
                    message.AddTextIfAny(ShapeField.DimensionName, dimension.Name);
                }

                message.AddPrefix(ShapeField.Dimension, dimensionMark);
            }

            message.AddPrefix(TypeField.Shape, mark);
        }

        if (type is { } known)
        {
            message.AddInt64(TypeField.ElementType, OnnxDType.ToCode(known));
        }

        message.AddPrefix(TypeField.Tensor, mark);
    }

    // Sequences of maps of optionals … are kept as bytes, but whoever reads them next recurses: their depth is limited here, by walking.
    private static void CheckDepth(WireReader reader, Stack<(FileRange Range, int Depth, int Kind)> inner)
    {
        if (inner.Count == 0)
        {
            return;
        }

        var here = reader.Mark();
        while (inner.TryPop(out var next))
        {
            reader.EnterRange(next.Range, next.Depth);
            while (reader.TryReadTag())
            {
                if (next.Kind == 0)
                {
                    PassType(reader, inner);
                }
                else if (reader.Field == next.Kind && reader.Type == WireType.Bytes)
                {
                    inner.Push((reader.ReadRange(), reader.Depth + 1, 0));
                }
                else
                {
                    reader.Skip();
                }
            }
        }

        reader.Return(here);
    }

    private static void PassType(WireReader reader, Stack<(FileRange Range, int Depth, int Kind)> inner)
    {
        // The number is the field that holds the inner type.
        int kind = reader.Field switch
        {
            TypeField.Sequence or TypeField.Optional => TypeField.ElementType,
            TypeField.Map => TypeField.MapValue,
            _ => 0,
        };
        if (kind == 0 || reader.Type != WireType.Bytes)
        {
            reader.Skip();
        }
        else
        {
            inner.Push((reader.ReadRange(), reader.Depth + 1, kind));
        }
    }

    private static (DType? DType, ImmutableArray<Dimension> Shape) ReadTensor(WireReader reader, ReadBudget budget)
    {
        DType? type = null;
        ImmutableArray<Dimension> shape = default;
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case TypeField.ElementType:
                    type = OnnxDType.FromCode(reader.ReadInt64());
                    break;
                case TypeField.Shape:
                    long outer = reader.Enter();
                    shape = ReadShape(reader, budget);
                    reader.Leave(outer);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return (type, shape);
    }

    private static ImmutableArray<Dimension> ReadShape(WireReader reader, ReadBudget budget)
    {
        var dimensions = ImmutableArray.CreateBuilder<Dimension>();
        while (reader.TryReadTag())
        {
            if (reader.Field == ShapeField.Dimension)
            {
                budget.Keep(DimensionBytes, reader.FieldStart);
                long outer = reader.Enter();
                dimensions.Add(ReadDimension(reader));
                reader.Leave(outer);
            }
            else
            {
                reader.Skip();
            }
        }

        return dimensions.ToImmutable();
    }

    private static Dimension ReadDimension(WireReader reader)
    {
        long? value = null;
        string name = "";
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case ShapeField.DimensionValue:
                    // Some exporters write −1 for a dimension that varies.
                    value = reader.ReadInt64() is >= 0 and long number ? number : null;
                    break;
                case ShapeField.DimensionName:
                    name = reader.ReadName();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new(value, name);
    }
}
