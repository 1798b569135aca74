using System.Collections.Immutable;
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

    /// <summary>The tensors of a structure with their bytes, named <c>name + suffix</c>.</summary>
    /// <param name="structure">The structure.</param>
    /// <param name="name">The layer's name.</param>
    public static ImmutableArray<Tensor> Write(StructuredMatrix structure, string name) => throw new NotSupportedException();

    /// <summary>Puts a structure together again.</summary>
    /// <param name="form">Its shape.</param>
    /// <param name="data">The bytes of each suffix.</param>
    /// <exception cref="ModelFormatException">A tensor has another length than the form says.</exception>
    public static StructuredMatrix Read(StructureForm form, Func<string, TensorData> data) => throw new NotSupportedException();

    /// <summary>Bytes of an element of a slot.</summary>
    /// <param name="type">The slot's type.</param>
    internal static int ElementSize(DType type) => type switch
    {
        DType.F32 => 4,
        DType.F16 or DType.BF16 => 2,
        _ => 1,
    };

    /// <summary>Bytes of a slot.</summary>
    /// <param name="slot">The slot.</param>
    internal static long ByteLength(TensorSlot slot) => slot.Shape.ElementCount * ElementSize(slot.DType);

    /// <summary>How a file names a format of floats.</summary>
    /// <param name="format">The format.</param>
    internal static DType TypeOf(FloatFormat format) => format switch
    {
        FloatFormat.F16 => DType.F16,
        FloatFormat.BF16 => DType.BF16,
        _ => DType.F32,
    };

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
            case QuantizedForm quantized:
                var codes = quantized.Symmetric ? DType.I8 : DType.U8;
                var scales = ScaleShape(quantized);
                slots.Add(new TensorSlot(prefix + ".q", codes, new TensorShape(quantized.Rows, quantized.Columns)));
                slots.Add(new TensorSlot(prefix + ".scale", DType.F32, scales));
                if (!quantized.Symmetric)
                {
                    slots.Add(new TensorSlot(prefix + ".zp", codes, scales));
                }

                break;
            default:
                throw new ArgumentException($"A structure of form {form.GetType().Name} has no tensors in files.", nameof(form));
        }
    }

    private static TensorShape ScaleShape(QuantizedForm form) => form.Granularity == QuantizationGranularity.PerGroup
        ? new TensorShape(form.Rows, form.GroupsPerRow)
        : new TensorShape(form.ScaleCount);
}
