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
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorSlot> _slots = StructureTensors.Slots(plan.Compressed.Form)
        .ToDictionary(slot => slot.Suffix, StringComparer.Ordinal);

    private bool Turned => plan.Layer.Transposed;

    /// <summary>Adds the constants, and tells the plan.</summary>
    /// <returns>What the file's metadata says of the layer.</returns>
    public LayerRecord Build()
    {
        // Rows are gathered from a matrix; a node that wants the weight whole gets it in its own shape.
        plan.Stored = Build(plan.Compressed.Form, "", plan.Gathered ? Matrix(plan.Compressed.Form) : plan.Layer.Tensor.Shape, plan.Gathered);
        return LayerRecord.Of(plan.Compressed, _names);
    }

    private StoredWeight Build(StructureForm form, string prefix, TensorShape shape, bool gathered)
    {
        switch (form)
        {
            case ProductForm product:
                // Factors of kernels are stored as kernels, so that their consumer takes them as they are.
                var kernels = gathered || Turned ? null : plan.Kernels;
                var leftShape = kernels is { } first ? FactorShapes.Left(first.Kind, first.Weight, product.Rank) : Matrix(product.Left);
                var rightShape = kernels is { } second ? FactorShapes.Right(second.Kind, second.Weight, product.Rank) : Matrix(product.Right);
                var left = Build(product.Left, prefix + ".lr_u", leftShape, gathered && !Turned);
                var right = Build(product.Right, prefix + ".lr_v", rightShape, gathered && Turned);
                return Turned ? new StoredProduct(right, left) : new StoredProduct(left, right);
            case RowPartitionForm partition:
                return new StoredPartition(
                    [.. partition.Blocks.Select((block, g) => (Build(block, StructureTensors.BlockPrefix(prefix, g), Matrix(block), gathered), block.Rows))],
                    Matrix(partition),
                    Turned ? 1 : 0);
            case QuantizedForm quantized:
                return Build(quantized, prefix, shape, gathered);
            default:
                return new StoredDense(AddConstant(prefix, shape), _slots[prefix].DType, shape);
        }
    }

    private StoredQuantized Build(QuantizedForm form, string prefix, TensorShape shape, bool gathered)
    {
        var (codes, axis) = Fold(form, shape);
        int groupSize = form.GroupSize;
        long size = axis < 0 ? 1 : codes[axis];

        // A vector of scales goes into DequantizeLinear; elsewhere scales spread over the axes behind theirs, which the last axis has none of.
        bool spread = axis >= 0 && groupSize == 0 && axis < codes.Rank - 1 && (gathered || plan.DecodesSimply || emitter.Opset < WeightDecoding.FirstOpsetPerAxis);
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

        return new StoredQuantized(
            AddConstant(prefix + ".q", codes),
            codes,
            AddConstant(prefix + ".scale", scales),
            form.Symmetric ? null : AddConstant(prefix + ".zp", scales),
            axis,
            groupSize,
            spread,
            !plan.DecodesSimply);
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

    private string AddConstant(string suffix, TensorShape shape)
    {
        var slot = _slots[suffix];
        string name = suffix.Length > 0
            ? emitter.NewName(plan.Layer.Name + suffix)
            : plan.IsPlain ? plan.ValueName : emitter.NewName($"{plan.Layer.Name}.{NameOf(slot.DType)}");
        _names.Add(suffix, name);
        emitter.AddConstant(new Tensor(name, slot.DType, shape, SlotData.ToFile(plan.Compressed, slot, Turned)));
        return name;
    }

    private static string NameOf(DType type) => type switch
    {
        DType.F16 => "f16",
        DType.BF16 => "bf16",
        _ => "f32",
    };
}
