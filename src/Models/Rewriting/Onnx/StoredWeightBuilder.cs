using Condense.Engine.Structures;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>
/// Adds a structure's tensors to a graph as constants, in the orientation in which the file stored the weight: what stood as Wᵀ = (L·R)ᵀ becomes Rᵀ·Lᵀ.
/// </summary>
/// <param name="emitter">The graph that held the weight.</param>
/// <param name="plan">The layer.</param>
internal sealed class StoredWeightBuilder(GraphEmitter emitter, LayerPlan plan)
{
    private const long FirstIrVersionWithNibbles = 10;

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorSlot> _slots = StructureTensors.Slots(plan.Compressed.Form)
        .ToDictionary(slot => slot.Suffix, StringComparer.Ordinal);

    private bool Turned => plan.Layer.Transposed;

    /// <summary>Adds the constants, and tells the plan.</summary>
    /// <returns>What the file's metadata says of the layer.</returns>
    public LayerRecord Build()
    {
        // Rows are gathered from a matrix; a node that wants the weight whole gets it in its own shape, and so does one that sees no difference.
        bool gathered = plan.Gathered && !plan.IsPlain;
        plan.Stored = Build(plan.Compressed.Form, "", gathered ? Matrix(plan.Compressed.Form) : plan.Layer.Tensor.Shape, gathered);
        return LayerRecord.Of(plan.Compressed, _names);
    }

    private StoredWeight Build(StructureForm form, string prefix, TensorShape shape, bool gathered)
    {
        switch (form)
        {
            case ProductForm product:
                return Build(product, (prefix + ".lr_u", prefix + ".lr_v"), gathered);
            case RowPartitionForm partition:
                string? permutation = partition.Permuted ? AddConstant(StructureTensors.PermutationSuffix(prefix), new TensorShape(partition.Rows)) : null;
                return new StoredPartition(
                    [.. partition.Blocks.Select((block, g) => (Build(block, prefix, g, gathered), block.Rows))],
                    Matrix(partition),
                    Turned ? 1 : 0,
                    permutation);
            case QuantizedForm quantized:
                return Build(quantized, prefix, shape, gathered);
            default:
                return new StoredDense(AddConstant(prefix, shape), _slots[prefix].DType, shape);
        }
    }

    private StoredWeight Build(StructureForm block, string prefix, int number, bool gathered) => block is ProductForm product
        ? Build(product, StructureTensors.FactorPrefixes(prefix, number), gathered)
        : Build(block, StructureTensors.BlockPrefix(prefix, number), Matrix(block), gathered);

    private StoredProduct Build(ProductForm product, (string Left, string Right) prefixes, bool gathered)
    {
        // Factors of kernels are stored as kernels, so that their consumer takes them as they are.
        var kernels = gathered || Turned ? null : plan.Kernels;
        var leftShape = kernels is { } first ? FactorShapes.Left(first.Kind, first.Weight, product.Rank) : Matrix(product.Left);
        var rightShape = kernels is { } second ? FactorShapes.Right(second.Kind, second.Weight, product.Rank) : Matrix(product.Right);
        var left = Build(product.Left, prefixes.Left, leftShape, gathered && !Turned);
        var right = Build(product.Right, prefixes.Right, rightShape, gathered && Turned);
        return Turned ? new StoredProduct(right, left) : new StoredProduct(left, right);
    }

    private StoredQuantized Build(QuantizedForm form, string prefix, TensorShape shape, bool gathered)
    {
        var (codes, axis) = Fold(form, shape);
        int groupSize = form.GroupSize;
        long size = axis < 0 ? 1 : codes[axis];

        // A vector of scales goes into DequantizeLinear; elsewhere scales spread over the axes behind theirs, which the last axis has none of.
        bool fusible = !plan.DecodesSimply && (!form.IsPacked || HasOwnType(form, gathered));
        bool spread = axis >= 0 && groupSize == 0 && axis < codes.Rank - 1 && (gathered || !fusible || emitter.Opset < WeightDecoding.FirstOpsetPerAxis);
        TensorShape scales;
        if (axis < 0)
        {
            scales = new TensorShape();
        }
        else if (groupSize > 0)
        {
            scales = axis == 1 ? new TensorShape(codes[0], form.GroupsPerRow) : new TensorShape(form.GroupsPerRow, codes[1]);
        }
        else
        {
            scales = spread ? new TensorShape([size, .. Enumerable.Repeat(1L, codes.Rank - 1 - axis)]) : new TensorShape(size);
        }

        var width = new CodeWidth(form.StoredBits, form.Symmetric, Native: !form.IsPacked || fusible, scales);
        return new StoredQuantized(
            AddCodes(prefix + ".q", codes, width, gathered),
            codes,
            AddConstant(prefix + ".scale", scales),
            form.Symmetric ? null : AddCodes(prefix + ".zp", scales, width, gathered: false),
            axis,
            groupSize,
            spread,
            fusible,
            width);
    }

    // Rows of a 4-bit type can't be gathered, and a product of two constants is decoded by simpler operators.
    private bool HasOwnType(QuantizedForm form, bool gathered)
        => form.StoredBits == 4 && !gathered && emitter.Opset >= WeightDecoding.FirstOpsetInBlocks && emitter.IrVersion >= FirstIrVersionWithNibbles;

    private string AddCodes(string suffix, TensorShape shape, CodeWidth width, bool gathered)
    {
        if (width.Bits == QuantizedForm.ByteBits)
        {
            return AddConstant(suffix, shape);
        }

        if (width.Native)
        {
            return AddConstant(suffix, shape, width.Signed ? DType.I4 : DType.U4);
        }

        return AddConstant(suffix, gathered ? new TensorShape(shape[0], shape[1] * width.Bits / 8) : _slots[suffix].Shape);
    }

    /// <summary>
    /// The shape that codes are stored in, and the axis of their scales: the weight's own shape where the scales run along one axis of it, else that of
    /// the stored matrix.
    /// </summary>
    private (TensorShape Codes, int Axis) Fold(QuantizedForm form, TensorShape shape)
    {
        var matrix = Matrix(form);
        switch (form.Granularity)
        {
            case QuantizationGranularity.PerTensor:
                return (shape, -1);
            case QuantizationGranularity.PerGroup:
                return (matrix, Turned ? 0 : 1);
            default:
                int axis = (form.Granularity == QuantizationGranularity.PerRow) == Turned ? 1 : 0;
                return OwnAxis(shape, matrix, axis) is { } own ? (shape, own) : (matrix, axis);
        }
    }

    /// <summary>The axis of a tensor that is the same as an axis of the matrix that it is folded to, or null when several are.</summary>
    private static int? OwnAxis(TensorShape shape, TensorShape matrix, int axis)
    {
        // The first axes make up the matrix's rows, the others its columns; axes of length 1 belong to either.
        long before = axis == 0 ? 1 : matrix[0];
        long product = 1;
        for (int i = 0; i < shape.Rank; i++)
        {
            if (product == before && shape[i] == matrix[axis])
            {
                return i;
            }

            product *= shape[i];
        }

        return null;
    }

    private TensorShape Matrix(StructureForm form) => Turned ? new TensorShape(form.Columns, form.Rows) : new TensorShape(form.Rows, form.Columns);

    private string AddConstant(string suffix, TensorShape shape, DType? type = null)
    {
        var slot = _slots[suffix];
        string name = suffix.Length > 0
            ? emitter.NewName(plan.Layer.Name + suffix)
            : plan.IsPlain ? plan.ValueName : emitter.NewName($"{plan.Layer.Name}.{NameOf(slot.DType)}");
        _names.Add(suffix, name);
        emitter.AddConstant(new Tensor(name, type ?? slot.DType, shape, SlotData.ToFile(plan.Compressed, slot, Turned)));
        return name;
    }

    private static string NameOf(DType type) => type switch
    {
        DType.F16 => "f16",
        DType.BF16 => "bf16",
        _ => "f32",
    };
}
