using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Findings;

/// <summary>Tensors that hold integer codes of weights: what they feed says so, or a scale beside them.</summary>
internal static class QuantizedTensors
{
    private static readonly string[] s_scaleEndings = [".scale", "_scale", ".scales", "_scales", ".weight_scale", "_weight_scale"];

    private static readonly string[] s_codeEndings = [".q", ".qweight", "_quantized", ".weight_q", ".weight"];

    /// <summary>Finds them, in the order of the file. O(nodes + tensors).</summary>
    public static IReadOnlyList<Tensor> Find(Model model) => model.Program is { } program ? InGraph(program) : ByName(model.Tensors);

    private static IReadOnlyList<Tensor> InGraph(GraphProgram program)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in program.AllGraphs().SelectMany(graph => graph.Nodes))
        {
            if (node.OpType is "DequantizeLinear" && node.Inputs.Count > 0)
            {
                taken.Add(node.Inputs[0]);
            }
            else if (TakesCodes(node.OpType))
            {
                taken.UnionWith(node.Inputs);
            }
        }

        var constants = program.AllGraphs().SelectMany(graph => graph.Nodes)
            .Where(node => node.Is("Constant") && node.Outputs.Count == 1 && taken.Contains(node.Outputs[0]))
            .SelectMany(node => node.Attributes.Where(attribute => attribute.Name is "value").SelectMany(attribute => attribute.Tensors));
        return
        [
            .. program.AllGraphs().SelectMany(graph => graph.Initializers).Where(initializer => taken.Contains(initializer.Tensor.Name))
                .Concat(constants)
                .Select(initializer => initializer.Tensor)
                .Where(tensor => IsCode(tensor) && tensor.Shape.Rank > 0 && tensor.Shape.ElementCount > 1),
        ];
    }

    /// <summary>Operators on integer codes, the standard ones and those of ONNX Runtime.</summary>
    private static bool TakesCodes(string operation) =>
        operation is "MatMulInteger" or "ConvInteger" or "MatMulNBits" or "GatherBlockQuantized" or "DynamicQuantizeMatMul" or "DynamicQuantizeLSTM" or "MatMulIntegerToFloat" or "QGemm"
        || operation.StartsWith("QLinear", StringComparison.Ordinal);

    /// <summary>Without a graph: codes named like their scale, or (codes, scale) tuples, which readers number <c>.0</c> and <c>.1</c>.</summary>
    private static IReadOnlyList<Tensor> ByName(IReadOnlyList<Tensor> tensors)
    {
        var byName = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var tensor in tensors)
        {
            byName.TryAdd(tensor.Name, tensor);
        }

        return [.. tensors.Where(tensor => (IsCode(tensor) || tensor.DType is DType.I32 or DType.U32) && tensor.Shape.Rank > 0 && HasScale(tensor))];

        bool HasScale(Tensor tensor)
        {
            if (tensor.Name.EndsWith(".0", StringComparison.Ordinal) && IsScale($"{tensor.Name[..^1]}1"))
            {
                return true;
            }

            // Packed codes of 32 bits have other uses: only a name of their own says what they are.
            bool isWide = tensor.DType is DType.I32 or DType.U32;
            return (!isWide && s_scaleEndings.Any(ending => IsScale(tensor.Name + ending)))
                || s_codeEndings.Any(ending => tensor.Name.EndsWith(ending, StringComparison.Ordinal)
                    && (!isWide || ending is ".qweight")
                    && s_scaleEndings.Any(scale => IsScale(tensor.Name[..^ending.Length] + scale)));
        }

        bool IsScale(string name) => byName.TryGetValue(name, out var scale) && scale.DType.IsFloatingPoint();
    }

    private static bool IsCode(Tensor tensor) => tensor.DType is DType.I8 or DType.U8 or DType.I4 or DType.U4 or DType.I2 or DType.U2;
}
