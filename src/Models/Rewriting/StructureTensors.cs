using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using Condense.Engine.Matrices;
using Condense.Engine.Structures;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>Structures as named tensors, and back.</summary>
public static class StructureTensors
{
    /// <summary>The tensors of a structure, in the order in which they are written. Their bits are the form's <see cref="StructureForm.StorageBits"/>.</summary>
    /// <param name="form">The structure's shape.</param>
    /// <exception cref="ArgumentException">The form is of a kind that is not written.</exception>
    public static ImmutableArray<TensorSlot> Slots(StructureForm form)
    {
        ArgumentNullException.ThrowIfNull(form);
        var slots = ImmutableArray.CreateBuilder<TensorSlot>();
        AddSlots(form, "", slots);
        return slots.ToImmutable();
    }

    /// <summary>The tensors of a structure with their bytes, named <c>name + suffix</c>. Nothing is copied: the structure's numbers are read when asked for.</summary>
    /// <param name="structure">The structure.</param>
    /// <param name="name">The layer's name.</param>
    /// <exception cref="ArgumentException">The structure is of a kind that is not written.</exception>
    public static ImmutableArray<Tensor> Write(StructuredMatrix structure, string name)
    {
        ArgumentNullException.ThrowIfNull(structure);
        ArgumentNullException.ThrowIfNull(name);
        var data = new List<TensorData>();
        AddData(structure, data);
        return [.. Slots(structure.Form).Zip(data, (slot, bytes) => new Tensor(name + slot.Suffix, slot.DType, slot.Shape, bytes))];
    }

    /// <summary>Puts a structure together again. Memory: the structure and a buffer. O(elements).</summary>
    /// <param name="form">Its shape.</param>
    /// <param name="data">The bytes of each suffix.</param>
    /// <exception cref="ModelFormatException">A tensor has another length than the form says, or numbers that the structure can't hold.</exception>
    /// <exception cref="ArgumentException">The form is of a kind that is not written.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static StructuredMatrix Read(StructureForm form, Func<string, TensorData> data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var opened = new Dictionary<string, TensorData>(StringComparer.Ordinal);
        foreach (var slot in Slots(form))
        {
            var bytes = data(slot.Suffix);
            opened[slot.Suffix] = bytes.ByteLength == ByteLength(slot)
                ? bytes
                : throw new ModelFormatException(
                    ModelFormatError.TensorInvalidInfo,
                    $"The tensor '{slot.Suffix}' of a structure has {bytes.ByteLength} bytes; its form says {slot.DType} {slot.Shape}, {ByteLength(slot)} bytes.",
                    tensor: slot.Suffix);
        }

        try
        {
            return ReadStructure(form, "", opened);
        }
        catch (ArgumentException exception)
        {
            throw new ModelFormatException(ModelFormatError.TensorInvalidInfo, $"The tensors of a structure can't be read: {exception.Message}", innerException: exception);
        }
    }

    /// <summary>Bytes of a slot.</summary>
    /// <param name="slot">The slot.</param>
    internal static long ByteLength(TensorSlot slot) => slot.DType.ByteLength(slot.Shape);

    /// <summary>How a file names a format of floats.</summary>
    /// <param name="format">The format.</param>
    internal static DType TypeOf(FloatFormat format) => format switch
    {
        FloatFormat.F16 => DType.F16,
        FloatFormat.BF16 => DType.BF16,
        _ => DType.F32,
    };

    /// <summary>What suffixes of a block of rows begin with.</summary>
    /// <param name="prefix">What those of the partition begin with.</param>
    /// <param name="block">The block's number, from 0.</param>
    internal static string BlockPrefix(string prefix, int block) => string.Create(CultureInfo.InvariantCulture, $"{prefix}.rp{block}");

    /// <summary>What suffixes of the factors of a block of rows begin with: the left one's, the right one's.</summary>
    /// <param name="prefix">What those of the partition begin with.</param>
    /// <param name="block">The block's number, from 0.</param>
    internal static (string Left, string Right) FactorPrefixes(string prefix, int block)
        => (string.Create(CultureInfo.InvariantCulture, $"{prefix}.gr_u{block}"), string.Create(CultureInfo.InvariantCulture, $"{prefix}.gr_v{block}"));

    /// <summary>The suffix of the rows' places.</summary>
    /// <param name="prefix">What those of the partition begin with.</param>
    internal static string PermutationSuffix(string prefix) => prefix + ".gr_perm";

    private static void AddData(StructuredMatrix structure, List<TensorData> data)
    {
        switch (structure)
        {
            case DenseMatrix dense:
                data.Add(new FloatTensorData(dense.Values.Values, TypeOf(dense.Format)));
                break;
            case ProductMatrix product:
                AddData(product.Left, data);
                AddData(product.Right, data);
                break;
            case RowPartitionMatrix partition:
                if (partition.Permutation is { } places)
                {
                    data.Add(new MemoryTensorData(MemoryMarshal.AsBytes(places.AsSpan()).ToArray()));
                }

                foreach (var block in partition.Blocks)
                {
                    AddData(block, data);
                }

                break;
            case QuantizedMatrix quantized:
                var codes = (QuantizedForm)quantized.Form;
                data.Add(Bytes(quantized.Codes, codes));
                data.Add(new FloatTensorData(quantized.Scales, DType.F32));
                if (!codes.Symmetric)
                {
                    data.Add(Bytes(quantized.ZeroPoints, codes));
                }

                break;
            default:
                throw new ArgumentException($"A {structure.GetType().Name} has no tensors in files.", nameof(structure));
        }
    }

    private static StructuredMatrix ReadStructure(StructureForm form, string prefix, Dictionary<string, TensorData> data) => form switch
    {
        ProductForm product => new ProductMatrix(ReadStructure(product.Left, prefix + ".lr_u", data), ReadStructure(product.Right, prefix + ".lr_v", data)),
        RowPartitionForm partition => new RowPartitionMatrix(
            [.. partition.Blocks.Select((block, g) => ReadBlock(block, prefix, g, data))],
            partition.Permuted ? MemoryMarshal.Cast<byte, int>(ReadBytes(data[PermutationSuffix(prefix)])).ToArray() : null),
        QuantizedForm quantized => new QuantizedMatrix(
            quantized,
            ReadCodes(data[prefix + ".q"], quantized, quantized.ParameterCount),
            FloatTensorData.ReadAll(data[prefix + ".scale"], DType.F32),
            quantized.Symmetric ? [] : ReadCodes(data[prefix + ".zp"], quantized, quantized.ScaleCount)),
        _ => new DenseMatrix(
            new Matrix(form.Rows, form.Columns, FloatTensorData.ReadAll(data[prefix], TypeOf(((DenseForm)form).Format))), ((DenseForm)form).Format),
    };

    private static TensorData Bytes(byte[] numbers, QuantizedForm form)
        => form.IsPacked ? new PackedTensorData(new MemoryTensorData(numbers), form.StoredBits) : new MemoryTensorData(numbers);

    private static StructuredMatrix ReadBlock(StructureForm block, string prefix, int number, Dictionary<string, TensorData> data)
    {
        if (block is not ProductForm product)
        {
            return ReadStructure(block, BlockPrefix(prefix, number), data);
        }

        var (left, right) = FactorPrefixes(prefix, number);
        return new ProductMatrix(ReadStructure(product.Left, left, data), ReadStructure(product.Right, right, data));
    }

    private static byte[] ReadCodes(TensorData data, QuantizedForm form, long count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Array.MaxLength, nameof(data));
        byte[] numbers = new byte[count];
        (form.IsPacked ? new UnpackedTensorData(data, new PackedNumbers(form.StoredBits, form.Symmetric, new TensorShape(count))) : data).Read(0, numbers);
        return numbers;
    }

    private static byte[] ReadBytes(TensorData data)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.ByteLength, Array.MaxLength, nameof(data));
        byte[] bytes = new byte[data.ByteLength];
        data.Read(0, bytes);
        return bytes;
    }

    private static void AddSlots(StructureForm form, string prefix, ImmutableArray<TensorSlot>.Builder slots)
    {
        switch (form)
        {
            case DenseForm dense:
                slots.Add(new TensorSlot(prefix, TypeOf(dense.Format), new TensorShape(dense.Rows, dense.Columns)));
                break;
            case ProductForm product:
                AddSlots(product.Left, prefix + ".lr_u", slots);
                AddSlots(product.Right, prefix + ".lr_v", slots);
                break;
            case RowPartitionForm partition:
                if (partition.Permuted)
                {
                    slots.Add(new TensorSlot(PermutationSuffix(prefix), DType.I32, new TensorShape(partition.Rows)));
                }

                for (int g = 0; g < partition.Blocks.Count; g++)
                {
                    if (partition.Blocks[g] is ProductForm factors)
                    {
                        var (left, right) = FactorPrefixes(prefix, g);
                        AddSlots(factors.Left, left, slots);
                        AddSlots(factors.Right, right, slots);
                    }
                    else
                    {
                        AddSlots(partition.Blocks[g], BlockPrefix(prefix, g), slots);
                    }
                }

                break;
            case QuantizedForm quantized:
                var scales = ScaleShape(quantized);
                slots.Add(Codes(quantized, prefix + ".q", new TensorShape(quantized.Rows, quantized.Columns)));
                slots.Add(new TensorSlot(prefix + ".scale", DType.F32, scales));
                if (!quantized.Symmetric)
                {
                    slots.Add(Codes(quantized, prefix + ".zp", scales));
                }

                break;
            default:
                throw new ArgumentException($"A structure of form {form.GetType().Name} has no tensors in files.", nameof(form));
        }
    }

    private static TensorSlot Codes(QuantizedForm form, string suffix, TensorShape shape) => form.IsPacked
        ? new TensorSlot(suffix, DType.U8, new TensorShape(form.PackedBytes(shape.ElementCount)), new PackedNumbers(form.StoredBits, form.Symmetric, shape))
        : new TensorSlot(suffix, form.Symmetric ? DType.I8 : DType.U8, shape);

    private static TensorShape ScaleShape(QuantizedForm form) => form.Granularity == QuantizationGranularity.PerGroup
        ? new TensorShape(form.Rows, form.GroupsPerRow)
        : new TensorShape(form.ScaleCount);
}
