using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Execution.OnnxRuntime;

/// <summary>
/// Seeded inputs for a model of which nothing is known but its inputs' types and shapes: floats from N(0,1); integers from [0, limit) where the
/// input is known to number the rows of a table, else 0 or 1, as are booleans.
/// </summary>
/// <param name="seed">The seed; input number i draws from its own stream, so that shapes do not disturb each other's numbers.</param>
/// <param name="limits">By input's name: the number of rows of the table that it is looked up in.</param>
public sealed class RandomInputs(ulong seed, IReadOnlyDictionary<string, long> limits)
{
    // Sizes that symbolic dimensions are tried with, the likeliest first: sequence lengths, then sides of images that fit strides of 32.
    private static readonly ImmutableArray<long> s_sizes = [8, 16, 32, 48, 64, 128, 224, 320, 640, 1];

    /// <summary>Ways to fill in symbolic dimensions, in the order in which they are worth a try: the batch, and every other size.</summary>
    public static IEnumerable<(long Batch, long Other)> Trials { get; } = [.. from batch in (long[])[1, 2] from other in s_sizes select (batch, other)];

    /// <summary>Whether any input has a dimension that the model leaves open.</summary>
    /// <param name="inputs">A session's inputs.</param>
    public static bool AnySymbolic(IEnumerable<RuntimeValue> inputs) => inputs.Any(input => input.Shape.Any(dimension => dimension.Value is null));

    /// <summary>Makes a tensor for each input.</summary>
    /// <param name="inputs">A session's inputs.</param>
    /// <param name="batch">The size of symbolic dimensions that look like a batch: by name, or the first of an input when it has none.</param>
    /// <param name="other">The size of all other symbolic dimensions.</param>
    /// <exception cref="ArgumentException">An input is no tensor, of a type that is not exchanged, or too large.</exception>
    public IReadOnlyDictionary<string, RuntimeTensor> Create(IReadOnlyList<RuntimeValue> inputs, long batch, long other)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return inputs
            .Select((input, number) => (input.Name, Tensor: Create(input, (ulong)number, batch, other)))
            .ToDictionary(pair => pair.Name, pair => pair.Tensor, StringComparer.Ordinal);
    }

    /// <summary>How the inputs were made, in words.</summary>
    /// <param name="tensors">What <see cref="Create(IReadOnlyList{RuntimeValue}, long, long)"/> made.</param>
    public string Describe(IReadOnlyDictionary<string, RuntimeTensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var each = tensors.Select(pair => string.Create(
            CultureInfo.InvariantCulture,
            $"{pair.Key} {pair.Value.Shape} {(pair.Value.IsFloat ? "from N(0,1)" : $"from [0,{Limit(pair.Key, pair.Value.DType)})")}"));
        return string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {string.Join("; ", each)}");
    }

    private static bool LooksLikeBatch(Dimension dimension, int axis)
        => dimension.Name.Length == 0
            ? axis == 0
            : dimension.Name.Contains("batch", StringComparison.OrdinalIgnoreCase) || dimension.Name is "N" or "n" or "B" or "b";

    private RuntimeTensor Create(RuntimeValue input, ulong number, long batch, long other)
    {
        if (input.DType is not { } type)
        {
            throw new ArgumentException($"Input '{input.Name}' is not a tensor of numbers.", nameof(input));
        }

        var shape = new TensorShape(
            [.. input.Shape.Select((dimension, axis) => dimension.Value ?? (LooksLikeBatch(dimension, axis) ? batch : other))]);
        if (shape.ElementCount * RuntimeTypes.ByteSize(type) > Array.MaxLength)
        {
            throw new ArgumentException($"Input '{input.Name}' of {shape} is too large to be made.", nameof(input));
        }

        byte[] data = new byte[shape.ElementCount * RuntimeTypes.ByteSize(type)];
        var stream = new RandomStream(seed, number);
        switch (type)
        {
            case DType.F32:
                Fill<float>(data, () => (float)stream.NextNormal());
                break;
            case DType.F64:
                Fill<double>(data, stream.NextNormal);
                break;
            case DType.F16:
                Fill<Half>(data, () => (Half)stream.NextNormal());
                break;
            case DType.BF16:
                Fill<ushort>(data, () => (ushort)(BitConverter.SingleToUInt32Bits((float)stream.NextNormal()) >> 16));
                break;
            default:
                FillIntegers(data, RuntimeTypes.ByteSize(type), (ulong)Limit(input.Name, type), stream);
                break;
        }

        return new RuntimeTensor(type, shape, data);
    }

    private static void Fill<T>(byte[] data, Func<T> next)
        where T : struct
    {
        var values = MemoryMarshal.Cast<byte, T>(data.AsSpan());
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = next();
        }
    }

    private static void FillIntegers(byte[] data, int byteSize, ulong limit, RandomStream stream)
    {
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        for (int i = 0; i < data.Length; i += byteSize)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(value, stream.NextBelow(limit));
            value[..byteSize].CopyTo(data.AsSpan(i));
        }
    }

    private long Limit(string name, DType type)
    {
        long limit = type is DType.Bool ? 2 : Math.Max(1, limits.GetValueOrDefault(name, 2));
        return type switch
        {
            DType.I8 => Math.Min(limit, sbyte.MaxValue),
            DType.U8 => Math.Min(limit, byte.MaxValue),
            DType.I16 => Math.Min(limit, short.MaxValue),
            DType.U16 => Math.Min(limit, ushort.MaxValue),
            DType.I32 or DType.U32 => Math.Min(limit, int.MaxValue),
            _ => limit,
        };
    }
}
